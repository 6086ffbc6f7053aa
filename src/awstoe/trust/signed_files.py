"""Whether a file is what its publisher signed: its detached signature, and a Windows program's own.

Windows programs carry an Authenticode signature within, which is always looked at. It makes no file
good, but it may spoil one: when the file is not what was signed, or when nobody who counts has made
it where somebody has to.
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
    """Whose Authenticode signatures count."""

    roots: bytes = b""
    """Certificates in PEM that a signature may lead to; may be empty."""
    thumbprints: Sequence[str] = ()
    """Of the certificates that sign. Without any, no signature counts."""
    revoked: Sequence[str] = ()
    """Thumbprints of those that must not count any more; SHA-1, 40 digits in upper case."""
    stampers: bytes = b""
    """Certificates in PEM that a time stamp may lead to; may be empty."""
    needed: bool = False
    """Whether a signature has to be by one of them. If not, others are only told of."""


class SignedFile(NamedTuple):
    """What is said of a file."""

    openpgp: Verification
    authenticode: "authenticode.SignatureResult | None"
    """Of the Authenticode signature; None for other than Windows programs."""
    verdict: Verdict
    """Of both together, in one word."""
    reason: str
    """Why it is not good; empty if it is."""

    @property
    def is_good(self) -> bool:
        """Whether the detached signature is good, and the one within does not spoil it."""
        return self.verdict is Verdict.GOOD


def verify(
    file: BufferedReader, signature: bytes, keys: Keyring, publishers: Publishers, *, now: int
) -> SignedFile:
    """Check an open file from its beginning.

    Args:
        file: Can seek.
        signature: The bytes of its signature file.
        keys: Whose detached signatures count.
        publishers: Whose Authenticode signatures count.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
        TrustError: The publishers' certificates cannot be read.
    """
    file.seek(0)
    return _combine(openpgp.verify(file, signature, keys, now=now), file, publishers, now)


def unsigned(file: BufferedReader, reason: str, publishers: Publishers, *, now: int) -> SignedFile:
    """The same for a file without a detached signature, which is never good.

    Args:
        file: Can seek.
        reason: What is missing.
        publishers: Whose Authenticode signatures count.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
        TrustError: The publishers' certificates cannot be read.
    """
    file.seek(0)
    return _combine(openpgp.unsigned(file, reason), file, publishers, now)


def certificates(pem: bytes) -> "list[x509.Certificate]":
    """Certificates that are built in.

    Raises:
        TrustError: They cannot be read.
    """
    if not pem:
        return []
    # What reads them takes as long to load as all of the rest: for Windows programs only.
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise TrustError(f"the publishers' certificates cannot be read: {error}") from error


def _combine(
    detached: Verification, file: BufferedReader, publishers: Publishers, now: int
) -> SignedFile:
    said = detached.deciding
    file.seek(0)
    if file.read(len(_WINDOWS_PROGRAM)) != _WINDOWS_PROGRAM:
        return SignedFile(detached, None, said.verdict, said.reason)
    within = _verify_within(file, publishers, now)
    spoiled = _spoiled(within, publishers)
    # That a file was altered is worse than that its detached signature is missing.
    altered = spoiled is Verdict.BAD and said.verdict is Verdict.UNSIGNED
    if spoiled and (detached.is_good or altered):
        reason = f"the Authenticode signature is not good: {within.reason}"
        return SignedFile(detached, within, spoiled, reason)
    return SignedFile(detached, within, said.verdict, said.reason)


def _verify_within(
    file: BufferedReader, publishers: Publishers, now: int
) -> "authenticode.SignatureResult":
    from awstoe.trust.authenticode import verify as authenticode  # noqa: PLC0415 - see certificates()

    found = authenticode.verify_file(
        file,
        # A root alone would let everybody sign whom it has certified.
        trusted=certificates(publishers.roots) if publishers.thumbprints else [],
        thumbprints=publishers.thumbprints,
        stampers=certificates(publishers.stampers),
        # Unlike fromtimestamp(), also after 2038 on 32 bits.
        now=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now),
    )
    if found.state != _UNTRUSTED:
        return found
    if _is_revoked(found, publishers):
        return found._replace(reason=f"its certificate {found.thumbprint} is revoked")
    if publishers.needed and not publishers.thumbprints:
        return found._replace(reason="all certificates that could make it are revoked")
    return found


def _spoiled(within: "authenticode.SignatureResult", publishers: Publishers) -> Verdict | None:
    """What an Authenticode signature makes of a file that is good without it."""
    if within.state != _UNTRUSTED:
        return Verdict.BAD if within.state == _BAD else None
    if _is_revoked(within, publishers):
        return Verdict.REVOKED
    return Verdict.UNTRUSTED if publishers.needed else None


def _is_revoked(within: "authenticode.SignatureResult", publishers: Publishers) -> bool:
    return (within.thumbprint or "").replace(" ", "") in publishers.revoked
