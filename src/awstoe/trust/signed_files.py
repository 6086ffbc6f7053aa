"""Verifies a file's detached OpenPGP signature, and a Windows program's own signature.

Windows programs contain an Authenticode signature, which is always checked. It cannot make a file
good, but it can spoil one: if the file is not what was signed, or if a trusted publisher is
required and another one signed it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

from awstoe.errors import TrustError
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.policy import Verdict, Verification

if TYPE_CHECKING:
    from cryptography import x509

    from awstoe.trust.authenticode import verify as authenticode

_WINDOWS_PROGRAM: Final = b"MZ"
_BAD: Final = "bad"
_UNTRUSTED: Final = "untrusted"


class Publishers(NamedTuple):
    """The trusted publishers of Authenticode signatures."""

    roots: bytes = b""
    """PEM certificates at which a signature's chain may end; may be empty."""
    thumbprints: Sequence[str] = ()
    """Thumbprints of the trusted signing certificates. Without any, no signature is trusted."""
    revoked: Sequence[str] = ()
    """Thumbprints of the revoked ones: SHA-1, 40 digits in upper case."""
    timestamp_authorities: bytes = b""
    """PEM certificates at which a timestamp's chain may end; may be empty."""
    needed: bool = False
    """Whether a trusted publisher is required. If not, others are only reported."""


class SignedFile(NamedTuple):
    """The verdict on a file."""

    openpgp: Verification
    authenticode: "authenticode.SignatureResult | None"
    """The result for the Authenticode signature; None unless the file is a Windows program."""
    verdict: Verdict
    """The verdict on both signatures together."""
    reason: str
    """Why it is not good; empty if it is."""

    @property
    def is_good(self) -> bool:
        """Whether the detached signature is good, and the Authenticode one does not spoil it."""
        return self.verdict is Verdict.GOOD


def verify(
    file: BufferedReader, signature: bytes, keys: Keyring, publishers: Publishers, *, now: int
) -> SignedFile:
    """Verify an open file from its start.

    Args:
        file: Must be seekable.
        signature: The content of its signature file.
        keys: The keys trusted for the detached signature.
        publishers: The publishers trusted for the Authenticode signature.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
        TrustError: The publishers' certificates cannot be read.
    """
    file.seek(0)
    return _combine(openpgp.verify(file, signature, keys, now=now), file, publishers, now)


def unsigned(file: BufferedReader, reason: str, publishers: Publishers, *, now: int) -> SignedFile:
    """Do the same for a file without a detached signature, which is never good.

    Args:
        file: Must be seekable.
        reason: What is missing.
        publishers: The publishers trusted for the Authenticode signature.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
        TrustError: The publishers' certificates cannot be read.
    """
    file.seek(0)
    return _combine(openpgp.unsigned(file, reason), file, publishers, now)


def certificates(pem: bytes) -> "list[x509.Certificate]":
    """Return the certificates in PEM data.

    Raises:
        TrustError: They cannot be read.
    """
    if not pem:
        return []
    # This import takes as long as all the others together, and only Windows programs need it.
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise TrustError(f"the publishers' certificates cannot be read: {error}") from error


def _combine(
    detached: Verification, file: BufferedReader, publishers: Publishers, now: int
) -> SignedFile:
    finding = detached.deciding
    file.seek(0)
    if file.read(len(_WINDOWS_PROGRAM)) != _WINDOWS_PROGRAM:
        return SignedFile(detached, None, finding.verdict, finding.reason)
    result = _verify_authenticode(file, publishers, now)
    spoiled = _spoiled(result, publishers)
    # An altered file is worse than a missing detached signature.
    altered = spoiled is Verdict.BAD and finding.verdict is Verdict.UNSIGNED
    if spoiled and (detached.is_good or altered):
        reason = f"the Authenticode signature is not good: {result.reason}"
        return SignedFile(detached, result, spoiled, reason)
    return SignedFile(detached, result, finding.verdict, finding.reason)


def _verify_authenticode(
    file: BufferedReader, publishers: Publishers, now: int
) -> "authenticode.SignatureResult":
    # Only Windows programs need it; see certificates().
    from awstoe.trust.authenticode import verify as authenticode  # noqa: PLC0415

    result = authenticode.verify_file(
        file,
        # A root alone would trust everyone it has certified.
        trusted=certificates(publishers.roots) if publishers.thumbprints else [],
        thumbprints=publishers.thumbprints,
        timestamp_authorities=certificates(publishers.timestamp_authorities),
        # Unlike fromtimestamp(), this works after 2038 on 32-bit systems.
        now=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now),
    )
    if result.state != _UNTRUSTED:
        return result
    if _is_revoked(result, publishers):
        return result._replace(reason=f"its certificate {result.thumbprint} is revoked")
    if publishers.needed and not publishers.thumbprints:
        return result._replace(reason="all certificates that could make it are revoked")
    return result


def _spoiled(result: "authenticode.SignatureResult", publishers: Publishers) -> Verdict | None:
    """Return the verdict that an Authenticode signature forces on a file; None for none."""
    if result.state != _UNTRUSTED:
        return Verdict.BAD if result.state == _BAD else None
    if _is_revoked(result, publishers):
        return Verdict.REVOKED
    return Verdict.UNTRUSTED if publishers.needed else None


def _is_revoked(result: "authenticode.SignatureResult", publishers: Publishers) -> bool:
    return (result.thumbprint or "").replace(" ", "") in publishers.revoked
