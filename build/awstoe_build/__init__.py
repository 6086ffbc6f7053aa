"""Builds awstoe's single-file executables: toolchain, freeze, inspection (``make build``)."""
