"""The simulator itself: what it promises, and that it finds what it is to find."""
