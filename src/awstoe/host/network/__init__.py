"""HTTP downloads, URLs, and the certificate authorities that TLS trusts."""
