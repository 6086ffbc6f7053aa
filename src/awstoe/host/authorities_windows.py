"""The certificate authorities of Windows: the stores of the machine and of the user."""

import ssl


def load(context: ssl.SSLContext) -> str | None:
    """Load the system's authorities; gives where they are, or None if there are none."""
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return "the Windows certificate store" if context.cert_store_stats()["x509_ca"] else None
