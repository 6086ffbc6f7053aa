"""Makes releases: from a tag to verified files in all regions. ``pipeline.py`` has the steps."""
