"""Evaluates references, conditions, patterns and loops. Nothing here does I/O."""
