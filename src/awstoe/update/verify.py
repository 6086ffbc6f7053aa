"""Whether a file is the release that was signed: its hash, and its publisher's signatures."""

import os
import stat
import time
from io import BufferedReader
from typing import Final

from awstoe.trust import signed_files
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update.errors import Untrusted

_GOOD: Final = "good"
_ATTACK: Final = "this may be an attack on updates: report it"


def check(
    file: BufferedReader,
    name: str,
    signature: bytes,
    trust: ReleaseTrust,
    *,
    sha256: str | None,
) -> str:
    """Check a program against its hash and its detached signature; gives the hash.

    Args:
        file: Read from its beginning.
        name: For messages.
        signature: The detached signature.
        trust: Whose signature counts.
        sha256: What the metadata says; None when only the signature is to be had.

    Raises:
        Untrusted: It is something else, or nobody of those has signed it.
        TrustError: What is trusted cannot be read.
    """
    publishers = trust.publishers()
    found = signed_files.verify(file, signature, trust.keyring(), publishers, now=int(time.time()))
    digest = found.openpgp.sha256
    if sha256 is not None and digest != sha256:
        raise Untrusted(
            f"{name}: expected the file with SHA-256 {sha256}, got {digest}", hint=_ATTACK
        )
    within = found.authenticode if publishers.needed else None
    if within is not None and found.openpgp.is_good and not publishers.thumbprints:
        raise Untrusted(
            f"{name}: no Authenticode signature counts any more: all certificates for it that this"
            " program knows are revoked",
            hint="install a newer release by hand: download it with its .sig, check it with gpg or"
            " `awstoe verify-signature FILE --key awstoe.gpg`, and put it in this one's place",
        )
    if not found.is_good:
        raise Untrusted(f"{name}: the signature does not count: {found.reason}", hint=_ATTACK)
    if within is not None and within.state != _GOOD:
        raise Untrusted(f"{name}: the Authenticode signature is missing", hint=_ATTACK)
    return digest


def identity(found: os.stat_result, name: str) -> tuple[int, int, int, int]:
    """What tells a file that was checked from another in its place.

    Raises:
        Untrusted: It is no plain file.
    """
    if not stat.S_ISREG(found.st_mode):
        raise Untrusted(f"{name} is no plain file any more: nothing was changed", hint=_ATTACK)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
