"""Checks a finished file: its libraries, its contents, its size."""
