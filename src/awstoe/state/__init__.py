"""The state of runs on disk, from which they resume."""
