"""Stands for the backend of that name: see ``maturin.py`` beside it."""
