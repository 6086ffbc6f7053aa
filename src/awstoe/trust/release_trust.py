"""What this program trusts: the release keys that were baked in when it was built.

A build with release keys has them beside this module, in the folder ``release``; the key ceremony
(``docs/trust.md``) makes that folder. In a source tree, and in a build without them, it is missing:
a development build, which trusts nobody.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.errors import TrustError
from awstoe.trust import keyring
from awstoe.trust.keyring import Keyring
from awstoe.trust.policy import KeyState
from awstoe.trust.signed_files import Publishers

FACTS: Final = "trust.json"
KEYRING: Final = "awstoe.gpg"
ROOT: Final = "root.json"
AUTHENTICODE_ROOTS: Final = "authenticode.pem"
STAMP_ROOTS: Final = "timestamping.pem"

FORMAT: Final = 1
"""Of trust.json."""
_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "release")
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}")


class ReleaseTrust(NamedTuple):
    """The folder's content."""

    product: str
    """What the keys are for, in a person's words."""
    is_rehearsal: bool
    """Whether the keys are throw-away ones."""
    url: str
    """Where releases are published; ``{region}`` and ``{suffix}`` stand for a region's."""
    openpgp: Mapping[str, KeyState]
    """The state of each release key by its fingerprint."""
    thumbprints: tuple[str, ...]
    """SHA-1 of the certificates that sign Windows programs, 40 digits."""
    keys: bytes
    """The release keys, in a file that gpg imports."""
    root: bytes
    """The root of trust metadata."""
    authenticode_roots: bytes
    """Certificates that a Windows program's signature may lead to, PEM; may be empty."""
    stamp_roots: bytes
    """Certificates that a time stamp may lead to, PEM; may be empty."""

    def keyring(self) -> Keyring:
        """The release keys that may sign, and those that are revoked.

        Raises:
            TrustError: They cannot be read.
        """
        return keyring.read(self.keys, KEYRING, self.openpgp)

    def publishers(self) -> Publishers | None:
        """Whose Authenticode signatures count; None when nobody is known."""
        if not self.thumbprints:
            return None
        return Publishers(self.authenticode_roots, self.thumbprints, self.stamp_roots)


def read(folder: str = _FOLDER) -> ReleaseTrust | None:
    """What is baked in; None in a development build.

    Args:
        folder: Another place than this module's.

    Raises:
        TrustError: The folder is damaged.
    """
    facts = _bytes(folder, FACTS)
    if facts is None:
        return None
    try:
        return _release_trust(json.loads(facts), folder)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TrustError(
            f"what this program trusts cannot be read: {FACTS}: {error!r}",
            hint="the build is damaged: install awstoe anew",
        ) from error


def _release_trust(facts: Mapping[str, object], folder: str) -> ReleaseTrust:
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']!r}, expected {FORMAT}")
    openpgp, authenticode = facts["openpgp"], facts["authenticode"]
    if not isinstance(openpgp, dict) or not isinstance(authenticode, dict):
        raise TypeError("openpgp and authenticode: expected objects")
    for fingerprint in openpgp:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"openpgp: {fingerprint!r} is no fingerprint")
    return ReleaseTrust(
        product=str(facts["product"]),
        is_rehearsal=facts["rehearsal"] is not False,
        url=str(facts["url"]),
        openpgp={fingerprint: KeyState(state) for fingerprint, state in openpgp.items()},
        thumbprints=tuple(str(each) for each in authenticode["thumbprints"]),
        keys=_needed(folder, KEYRING),
        root=_needed(folder, ROOT),
        authenticode_roots=_bytes(folder, AUTHENTICODE_ROOTS) or b"",
        stamp_roots=_bytes(folder, STAMP_ROOTS) or b"",
    )


def _needed(folder: str, name: str) -> bytes:
    data = _bytes(folder, name)
    if not data:
        raise ValueError(f"{name} is missing")
    return data


def _bytes(folder: str, name: str) -> bytes | None:
    try:
        with open(os.path.join(folder, name), "rb") as stream:
            return stream.read(limits.KEYRING_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrustError(f"what this program trusts cannot be read: {name}: {error}") from error
