"""Writes the trust metadata of releases (The Update Framework)."""
