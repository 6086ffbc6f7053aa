"""Verifies signatures: takes bytes and public keys, returns a verdict. No network, no clock."""
