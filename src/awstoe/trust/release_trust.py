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
    authenticode: Mapping[str, KeyState]
    """The state of each certificate that signs, or has signed, Windows programs, by its thumbprint:
    SHA-1, 40 digits. Empty where releases of Windows programs have no Authenticode signature."""
    keys: bytes
    """The release keys, in a file that gpg imports."""
    root: bytes
    """The root of trust metadata."""
    authenticode_roots: bytes
    """Certificates that a Windows program's signature may lead to, PEM; empty if none counts."""
    stamp_roots: bytes
    """Certificates that a time stamp may lead to, PEM; may be empty."""

    def keyring(self) -> Keyring:
        """The release keys that may sign, and those that are revoked.

        Raises:
            TrustError: They cannot be read.
        """
        return keyring.read(self.keys, KEYRING, self.openpgp)

    def publishers(self) -> Publishers:
        """Whose Authenticode signatures count.

        One that was revoked is needed still, so that with all of them revoked nothing counts.
        """
        revoked = [each for each, state in self.authenticode.items() if state is KeyState.REVOKED]
        return Publishers(
            roots=self.authenticode_roots,
            thumbprints=[each for each in self.authenticode if each not in revoked],
            revoked=revoked,
            stampers=self.stamp_roots,
            needed=bool(self.authenticode),
        )


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
    authenticode = _states(facts, "authenticode")
    publishes = any(state is not KeyState.REVOKED for state in authenticode.values())
    return ReleaseTrust(
        product=str(facts["product"]),
        is_rehearsal=facts["rehearsal"] is not False,
        url=str(facts["url"]),
        openpgp=_states(facts, "openpgp"),
        authenticode=authenticode,
        keys=_needed(folder, KEYRING),
        root=_needed(folder, ROOT),
        authenticode_roots=_needed(folder, AUTHENTICODE_ROOTS) if publishes else b"",
        stamp_roots=_bytes(folder, STAMP_ROOTS) or b"",
    )


def _states(facts: Mapping[str, object], name: str) -> dict[str, KeyState]:
    states = facts[name]
    if not isinstance(states, dict):
        raise TypeError(f"{name}: expected an object")
    for fingerprint in states:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"{name}: {fingerprint!r} is no fingerprint")
    return {fingerprint: KeyState(state) for fingerprint, state in states.items()}


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
