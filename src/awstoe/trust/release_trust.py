"""Reads the release keys that were built into this program.

A build with release keys has them next to this module, in the folder ``release``, which the key
ceremony creates (``docs/trust.md``). In a source tree and in a build without keys the folder is
missing: a development build, which trusts no key.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.policy import KeyState
from awstoe.trust.signed_files import Publishers

FACTS: Final = "trust.json"
KEYRING: Final = "awstoe.gpg"
ROOT: Final = "root.json"
AUTHENTICODE_ROOTS: Final = "authenticode.pem"
STAMP_ROOTS: Final = "timestamping.pem"

FORMAT: Final = 1
"""Version of the format of trust.json."""
_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "release")
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}")


class ReleaseTrust(NamedTuple):
    """The content of the folder."""

    product: str
    """Name of the product that the keys sign."""
    is_rehearsal: bool
    """Whether these are the throw-away keys of a rehearsal."""
    url: str
    """URL template of the releases; ``{region}`` and ``{suffix}`` are a region's."""
    openpgp: Mapping[str, KeyState]
    """The state of each release key by its fingerprint."""
    authenticode: Mapping[str, KeyState]
    """The state of each certificate that signs, or has signed, Windows programs, by its thumbprint:
    SHA-1, 40 digits. Empty if released Windows programs have no Authenticode signature."""
    keys: bytes
    """The release keys, in a file that gpg can import."""
    root: bytes
    """The root role of the trust metadata."""
    authenticode_roots: bytes
    """PEM certificates at which a Windows program's signature chain may end; may be empty."""
    stamp_roots: bytes
    """PEM certificates at which a timestamp's chain may end; may be empty."""

    def keyring(self) -> Keyring:
        """Return the release keys that may sign, and those that are revoked.

        Raises:
            TrustError: They cannot be read.
        """
        return keyring.read(self.keys, KEYRING, self.openpgp)

    def publishers(self) -> Publishers:
        """Return the trusted Authenticode publishers.

        A publisher is required even if all certificates are revoked: then no file is good.
        """
        revoked = [each for each, state in self.authenticode.items() if state is KeyState.REVOKED]
        return Publishers(
            roots=self.authenticode_roots,
            thumbprints=[each for each in self.authenticode if each not in revoked],
            revoked=revoked,
            timestamp_authorities=self.stamp_roots,
            needed=bool(self.authenticode),
        )


def read(folder: str = _FOLDER) -> ReleaseTrust | None:
    """Return the built-in keys, or None in a development build.

    Args:
        folder: The folder to read them from.

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
            f"the release keys of this program cannot be read: {FACTS}: {error!r}",
            hint="the build is damaged: install awstoe again",
        ) from error


def _release_trust(facts: Mapping[str, object], folder: str) -> ReleaseTrust:
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']!r}, expected {FORMAT}")
    authenticode = _states(facts, "authenticode")
    publishes = any(state is not KeyState.REVOKED for state in authenticode.values())
    return ReleaseTrust(
        product=str(facts["product"]),
        is_rehearsal=facts["rehearsal"] is not False,
        url=str(facts["url"]),
        openpgp=_states(facts, "openpgp"),
        authenticode=authenticode,
        keys=_required(folder, KEYRING),
        root=_required(folder, ROOT),
        authenticode_roots=_required(folder, AUTHENTICODE_ROOTS) if publishes else b"",
        stamp_roots=_bytes(folder, STAMP_ROOTS) or b"",
    )


def _states(facts: Mapping[str, object], name: str) -> dict[str, KeyState]:
    states = facts[name]
    if not isinstance(states, dict):
        raise TypeError(f"{name}: expected an object")
    for fingerprint in states:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"{name}: {fingerprint!r} is not a fingerprint")
    return {fingerprint: KeyState(state) for fingerprint, state in states.items()}


def _required(folder: str, name: str) -> bytes:
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
        raise TrustError(
            f"the release keys of this program cannot be read: {name}: {error}"
        ) from error
