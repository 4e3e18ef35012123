"""The pure parts of the stand-in org."""
