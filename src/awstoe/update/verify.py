"""Verifies that a file is a signed release: its hash, and its publisher's signatures."""

import os
import stat
import time
from io import BufferedReader
from typing import Final

from awstoe import contact
from awstoe.trust import signed_files
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update.errors import Untrusted

_GOOD: Final = "good"
_WINDOWS: Final = "windows"
_ATTACK: Final = f"this may be an attack on updates: {contact.report_attack()}"


def check(
    file: BufferedReader,
    name: str,
    signature: bytes,
    trust: ReleaseTrust,
    *,
    platform: str,
    sha256: str | None,
) -> str:
    """Check a program against its hash and its signatures, and return its hash.

    Args:
        file: The program; it is read from the start.
        name: Its name in messages.
        signature: The detached signature.
        trust: The trusted keys.
        platform: The platform that it is for. A program for Windows needs an Authenticode
            signature, also if its first bytes are not those of one.
        sha256: The hash in the metadata; None if there is only the signature to check.

    Raises:
        Untrusted: It is another file, or no trusted key has signed it.
        TrustError: The trusted keys cannot be read.
    """
    publishers = trust.publishers()
    result = signed_files.verify(file, signature, trust.keyring(), publishers, now=int(time.time()))
    digest = result.openpgp.sha256
    if sha256 is not None and digest != sha256:
        raise Untrusted(
            f"{name}: expected the file with SHA-256 {sha256}, got {digest}", hint=_ATTACK
        )
    needs_authenticode = publishers.needed and platform == _WINDOWS
    authenticode = result.authenticode if publishers.needed else None
    if authenticode is not None and result.openpgp.is_good and not publishers.thumbprints:
        raise Untrusted(
            f"{name}: the Authenticode signature cannot be trusted: all certificates for it that"
            " this program knows are revoked",
            hint="install a newer release by hand: download it and its .sig, check it with gpg or"
            " 'awstoe verify-signature FILE --key awstoe.gpg', and replace this file with it",
        )
    if not result.is_good:
        raise Untrusted(f"{name}: the signature is not valid: {result.reason}", hint=_ATTACK)
    if needs_authenticode and authenticode is None:
        raise Untrusted(f"{name}: expected a Windows program, got another file", hint=_ATTACK)
    if authenticode is not None and authenticode.state != _GOOD:
        raise Untrusted(f"{name}: the Authenticode signature is missing", hint=_ATTACK)
    return digest


def identity(found: os.stat_result, name: str) -> tuple[int, int, int, int]:
    """Return what distinguishes a file that was checked from another one in its place.

    Raises:
        Untrusted: It is not a regular file.
    """
    if not stat.S_ISREG(found.st_mode):
        raise Untrusted(f"{name} is not a regular file any more; nothing was changed", hint=_ATTACK)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
