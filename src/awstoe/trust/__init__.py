"""Whether a file may be trusted: bytes and public keys in, a verdict out. No network, no clock."""
