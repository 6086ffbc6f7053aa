"""Rehearses a release on this machine: an S3 server, throw-away keys, and all real steps."""
