"""Issues OpenPGP certificates and signs with their keys."""
