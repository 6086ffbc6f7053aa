"""Makes awstoe's portable single files: toolchain, freeze, inspection. ``make build`` starts it."""
