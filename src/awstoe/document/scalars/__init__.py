"""Finds texts in a document that YAML, a shell or a typing program has silently changed."""
