"""A replacement for the build backend of that name: see ``../maturin.py``."""
