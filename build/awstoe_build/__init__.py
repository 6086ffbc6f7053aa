"""Builds awstoe's single-file executables: toolchain, freezing, inspection."""
