"""Parses documents to a typed, immutable model. Only ``source`` does I/O."""
