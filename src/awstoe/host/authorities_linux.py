"""Where Linux distributions keep their certificate authorities."""

import ssl
from typing import Final

_STORES: Final = (
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, RHEL, CentOS, Fedora
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # newer Fedora
    "/etc/ssl/cert.pem",  # Alpine
)


def load(context: ssl.SSLContext) -> str | None:
    """Load the system's authorities; gives where they are, or None if there are none."""
    for path in _STORES:
        try:
            context.load_verify_locations(cafile=path)
        except OSError:  # missing, unreadable or empty: another may be there
            continue
        return path
    return None
