"""Whether a file is what its publisher signed: its detached signature, and a Windows program's own.

Windows programs carry an Authenticode signature within. Where publishers of such are known it is
checked as well, and a file is good only if neither signature says otherwise.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

from awstoe.errors import TrustError
from awstoe.trust import openpgp
from awstoe.trust.keyring import Keyring
from awstoe.trust.policy import Verdict, Verification

if TYPE_CHECKING:
    from awstoe.trust import authenticode

_WINDOWS_PROGRAM: Final = b"MZ"
_BAD: Final = "bad"


class Publishers(NamedTuple):
    """Whose Authenticode signatures count."""

    roots: bytes
    """Certificates in PEM that a signature may lead to; may be empty."""
    thumbprints: Sequence[str]
    """Of the certificates that sign."""
    stampers: bytes
    """Certificates in PEM that a time stamp may lead to; may be empty."""


class SignedFile(NamedTuple):
    """What is said of a file."""

    detached: Verification
    within: "authenticode.Verdict | None"
    """Of the Authenticode signature; None for other than Windows programs, and where nobody is
    known who could have made it."""

    @property
    def is_good(self) -> bool:
        """Whether the detached signature is good, and the one within not bad."""
        return self.detached.is_good and not self.is_bad_within

    @property
    def is_bad_within(self) -> bool:
        """Whether there is an Authenticode signature that does not count."""
        return self.within is not None and self.within.state == _BAD

    @property
    def reason(self) -> str:
        """Why it is not good; empty if it is."""
        if not self.detached.is_good:
            return self.detached.deciding.reason
        if self.is_bad_within and self.within is not None:
            return f"the Authenticode signature is not good: {self.within.reason}"
        return ""

    @property
    def verdict(self) -> Verdict:
        """In one word."""
        if self.detached.is_good and self.is_bad_within:
            return Verdict.BAD
        return self.detached.deciding.verdict


def verify(
    file: BufferedReader,
    signature: bytes,
    keys: Keyring,
    publishers: Publishers | None,
    *,
    now: int,
) -> SignedFile:
    """Check an open file from its beginning.

    Args:
        file: Can seek.
        signature: The bytes of its signature file.
        keys: Whose detached signatures count.
        publishers: Whose Authenticode signatures count; None when nobody is known.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
        TrustError: The publishers' certificates cannot be read.
    """
    file.seek(0)
    detached = openpgp.verify(file, signature, keys, now=now)
    file.seek(0)
    if publishers is None or file.read(len(_WINDOWS_PROGRAM)) != _WINDOWS_PROGRAM:
        return SignedFile(detached, None)
    return SignedFile(detached, _verify_within(file, publishers, now))


def _verify_within(
    file: BufferedReader, publishers: Publishers, now: int
) -> "authenticode.Verdict":
    # What reads it takes as long to load as all of the rest: for Windows programs only.
    from cryptography import x509  # noqa: PLC0415

    from awstoe.trust import authenticode  # noqa: PLC0415

    try:
        roots, stampers = (
            x509.load_pem_x509_certificates(pem) if pem else []
            for pem in (publishers.roots, publishers.stampers)
        )
    except ValueError as error:
        raise TrustError(f"the publishers' certificates cannot be read: {error}") from error
    return authenticode.verify_file(
        file,
        trusted=roots,
        thumbprints=publishers.thumbprints,
        stampers=stampers,
        # Unlike fromtimestamp(), also after 2038 on 32 bits.
        now=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now),
    )
