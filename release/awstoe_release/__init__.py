"""Releases: from a tag to verified files in all regions. ``pipeline.py`` is the list of steps."""
