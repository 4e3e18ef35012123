"""The tests: unit mirrors the modules, integration uses real files, sockets and processes."""
