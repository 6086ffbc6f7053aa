"""Replaces the program by a newer one: trust metadata, decision, download, swap."""
