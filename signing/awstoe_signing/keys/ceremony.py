"""The key ceremony: makes everything that a release needs.

Existing keys are kept, so that an interrupted ceremony continues, and registered keys of AWS KMS
are used.
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
    """Return the folder of a rehearsal, which has its own passphrase file."""
    keys = KeyDirectory(folder, REHEARSAL)
    if keys.release.is_rehearsal and not os.path.exists(keys.path("private", "passphrase")):
        keys.write(secrets.token_hex(16).encode() + b"\n", "private", "passphrase")
    return keys


def complete(keys: KeyDirectory, *, now: int, days: int, say: Callable[[str], None]) -> None:
    """Make the keys that are missing, the root and the trust folder.

    Args:
        keys: The folder of keys.
        now: Seconds since 1970.
        days: How long keys are valid.
        say: Called with a line of text for each thing that is made.

    Raises:
        SigningFailure: A key cannot be made, or a rotation is needed first.
    """
    if keys.facts(Purpose.OPENPGP, KeyState.REVOKED) and keys.facts(Purpose.OPENPGP, KeyState.NEXT):
        # Programs know the next key. They would not know a key made here.
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
            # The next key replaces the current one when that expires.
            end = lifecycle.after(now, 2 * days) if state is KeyState.NEXT else expires
            made = lifecycle.create(keys, purpose, now=now, expires=end, state=state)
            say(f"{made.name}: {made.state}, {made.fingerprint}")
    if not tuf_root.is_current(keys):
        tuf_root.write(keys, now=now)
    say(f"trust: {trust_folder.write(keys)}")
