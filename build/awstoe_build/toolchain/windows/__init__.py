"""Recipes of the layers for Windows."""
