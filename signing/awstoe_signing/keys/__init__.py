"""Signing keys: where they are kept, how they are made, rotated and revoked."""
