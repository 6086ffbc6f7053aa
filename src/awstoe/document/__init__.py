"""From a document's text to a typed, frozen model. Only ``source`` does I/O."""
