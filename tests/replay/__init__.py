"""Replays: the same log gives the same views, on any machine, from any release."""
