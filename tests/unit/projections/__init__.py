"""Projections, each on a journal in memory."""
