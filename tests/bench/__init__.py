"""Measures the journal beside raw `sqlite3` and stock `eventsourcing`: ``make bench``.

Absolute figures do not carry over from one machine to another; ratios within one run do. So
every figure is the median of many short rounds, in which the contenders take turns, on real
files in a temporary folder, with the same rows, the same schema and the same durability.
"""
