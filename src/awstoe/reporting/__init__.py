"""Writes what the engine reports to files, the terminal and the summary."""
