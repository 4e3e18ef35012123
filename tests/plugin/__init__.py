"""The plugin of pytest, as a host's tests see it."""
