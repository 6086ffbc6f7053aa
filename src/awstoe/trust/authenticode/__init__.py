"""Verifies Authenticode signatures of Windows programs."""
