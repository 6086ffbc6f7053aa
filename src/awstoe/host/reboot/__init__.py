"""Reboots the machine and has a command run at the next startup."""
