"""Recipes of the toolchain layers, and the cache that keeps them."""
