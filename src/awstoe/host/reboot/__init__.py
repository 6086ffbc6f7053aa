"""Reboots the machine and registers a command for the next startup."""
