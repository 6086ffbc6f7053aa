"""Chooses the certificate authorities that TLS connections trust.

The file or folder that an environment variable names comes first (the variables that AWS's tools
and OpenSSL read), then the system's store. OpenSSL's compiled-in path is of no use: in a
single-file executable it is a path of the build machine. Certifi's list, which is part of awstoe,
is the last resort for machines that have no store.
"""

import os
import ssl
import sys
from typing import Final, NamedTuple

from awstoe.errors import HostError
from awstoe.host.executable import frozen

if sys.platform == "win32":

    def load(context: ssl.SSLContext) -> str | None:
        """Load the system's store and return its name, or None if it is empty."""
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return "the Windows certificate store" if context.cert_store_stats()["x509_ca"] else None


else:
    _STORES: Final = (
        "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, RHEL, CentOS, Fedora
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
        "/etc/ssl/ca-bundle.pem",  # SUSE
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # newer Fedora
        "/etc/ssl/cert.pem",  # Alpine
    )

    def load(context: ssl.SSLContext) -> str | None:
        """Load the system's store and return its path, or None if there is none."""
        for path in _STORES:
            try:
                context.load_verify_locations(cafile=path)
            except OSError:  # missing, unreadable or empty: try the next one
                continue
            return path
        return None


VARIABLES: Final = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Environment variables that name a file or folder of authorities; the first one set wins."""


class TrustStore(NamedTuple):
    """A TLS context and where its authorities come from."""

    context: ssl.SSLContext
    source: str
    """For the message about a certificate that is not trusted."""


def trust_store() -> TrustStore:
    """Return a context for TLS 1.2 or later that checks certificates and host names.

    Raises:
        HostError: An environment variable names authorities that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for variable in VARIABLES:
        path = os.environ.get(variable)
        if path:
            _load_named(context, variable, path)
            return TrustStore(context, f"{variable} ({path})")
    source = load(context)
    if source is None:
        source = _load_own(context)
    return TrustStore(context, source)


def _load_named(context: ssl.SSLContext, variable: str, path: str) -> None:
    hint = f"fix {variable}, or unset it to use the system's certificate authorities"
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise HostError(f"{variable}: {path} contains no PEM certificates", hint=hint) from error
    except OSError as error:
        raise HostError(f"{variable}: {path}: {error.strerror}", hint=hint) from error


def _load_own(context: ssl.SSLContext) -> str:
    import certifi  # noqa: PLC0415 - only on machines without a store

    frozen.restore("certifi")
    context.load_verify_locations(cafile=certifi.where())
    return "awstoe's built-in list, as this machine has none"
