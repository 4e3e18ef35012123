"""The command line: its pure parts, and the real command on real files."""
