"""Tooling of the Makefile: the virtual environment, the lock file and the generated pages."""
