"""The recipes of the toolchain layers, and the cache that stores the layers."""
