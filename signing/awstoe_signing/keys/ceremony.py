"""The key ceremony: everything that a release needs, made in one go.

What is there already stays, so that a ceremony that was interrupted goes on, and keys that were
taken from AWS KMS before are used.
"""

import os
import secrets
from collections.abc import Callable
from typing import Final

from awstoe.trust.policy import KeyState
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory, Purpose, ReleaseKeys
from awstoe_signing.tuf import root as tuf_root
from awstoe_signing.tuf import trust_folder

REHEARSAL: Final = ReleaseKeys(
    product="AWSTOE rehearsal",
    user_id="AWSTOE (rehearsal, do not trust) <rehearsal@awstoe.invalid>",
    url="https://awstoe-{region}.s3.{region}.{suffix}/",
    is_rehearsal=True,
)
_ROOT_KEYS: Final = 3


def prepare(folder: str) -> KeyDirectory:
    """The folder of a rehearsal, with a passphrase of its own."""
    keys = KeyDirectory(folder, REHEARSAL)
    if keys.release.is_rehearsal and not os.path.exists(keys.path("private", "passphrase")):
        keys.write(secrets.token_hex(16).encode() + b"\n", "private", "passphrase")
    return keys


def complete(keys: KeyDirectory, *, now: int, days: int, say: Callable[[str], None]) -> None:
    """Make the keys that are missing, the root and the folder of trust.

    Args:
        keys: The folder.
        now: Seconds since 1970.
        days: How long keys are valid.
        say: Told what is made.

    Raises:
        SigningFailure: A key cannot be made, or it is a rotation that is missing.
    """
    if keys.facts(Purpose.OPENPGP, KeyState.REVOKED) and keys.facts(Purpose.OPENPGP, KeyState.NEXT):
        # Programs know the next key; one made here would be unknown to all of them.
        keys.only(Purpose.OPENPGP)
    expires = lifecycle.after(now, days)
    wanted: list[tuple[Purpose, KeyState, int]] = [
        (Purpose.OPENPGP, KeyState.CURRENT, 1),
        (Purpose.OPENPGP, KeyState.NEXT, 1),
        (Purpose.ROOT, KeyState.CURRENT, _ROOT_KEYS),
        (Purpose.TARGETS, KeyState.CURRENT, 1),
        (Purpose.SNAPSHOT, KeyState.CURRENT, 1),
        (Purpose.TIMESTAMP, KeyState.CURRENT, 1),
    ]
    if keys.release.is_rehearsal:
        wanted.append((Purpose.AUTHENTICODE, KeyState.CURRENT, 1))
    for purpose, state, count in wanted:
        for _ in range(count - len(keys.facts(purpose, state))):
            # The next key takes over when the current one ends.
            end = lifecycle.after(now, 2 * days) if state is KeyState.NEXT else expires
            made = lifecycle.create(keys, purpose, now=now, expires=end, state=state)
            say(f"{made.name}: {made.state}, {made.fingerprint}")
    if not tuf_root.is_current(keys):
        tuf_root.write(keys, now=now)
    say(f"trust: {trust_folder.write(keys)}")
