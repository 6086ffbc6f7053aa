"""Reads YAML and JSON to nodes that have a line and a column."""
