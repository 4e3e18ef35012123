"""Processes that are killed at any moment, by the hundred: what they do, how, and what is left."""
