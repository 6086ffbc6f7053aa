"""Signs Windows programs with Authenticode."""
