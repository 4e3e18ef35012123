"""Lets ``python -m journal`` be the command line."""

from __future__ import annotations

from journal.cli import main

if __name__ == "__main__":
    main()
