"""Verifies detached OpenPGP signatures."""
