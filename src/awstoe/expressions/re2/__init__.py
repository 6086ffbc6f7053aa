"""RE2 patterns, translated for Python's matcher."""
