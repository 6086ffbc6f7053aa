"""Translates RE2 patterns to Python's ``re``."""
