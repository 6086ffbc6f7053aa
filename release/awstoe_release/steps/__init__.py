"""The steps of a release, one module each; ``pipeline.STEPS`` has them in order."""
