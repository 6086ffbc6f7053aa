"""The root of trust metadata that a folder of keys has signed: which keys sign what."""

from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe.trust.policy import KeyState
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.directory import METADATA, KeyDirectory, KeyFacts, Purpose, moment
from awstoe_signing.keys.signers import PublicKey
from awstoe_signing.tuf import repository as tuf_repository
from awstoe_signing.tuf.repository import RoleKeys

THRESHOLD: Final = 2
"""How many root keys must sign a root, where there are so many."""


def write(keys: KeyDirectory, *, now: int) -> int:
    """Sign the next root, which names the current keys of metadata; gives its version.

    The keys of the root in force sign as well as the new ones, as far as they are at hand.

    Raises:
        SigningFailure: Too few of them are.
    """
    number = version(keys)
    before = _named_by_root(keys, Purpose.ROOT) if number else set()
    current = {purpose: keys.facts(purpose, KeyState.CURRENT) for purpose in METADATA}
    roles = {
        purpose.value: RoleKeys(
            tuple(_public_key(keys, key) for key in found),
            min(THRESHOLD, len(found)) if purpose is Purpose.ROOT else 1,
        )
        for purpose, found in current.items()
    }
    signers = [
        keys.open(key)
        for key in keys.facts(Purpose.ROOT)
        if (key in current[Purpose.ROOT] or key.fingerprint in before) and keys.is_at_hand(key)
    ]
    expires = moment(now) + tuf_repository.Expiries().root
    if number:
        force = keys.read("metadata", f"{number}.root.json")
        data = tuf_repository.rotate_root(force, roles, signers, expires=expires)
    else:
        data = tuf_repository.create_root(roles, signers, expires=expires)
    keys.write(data, "metadata", f"{number + 1}.root.json")
    return number + 1


def is_current(keys: KeyDirectory) -> bool:
    """Whether there is a root that names the current keys of the book."""
    return bool(version(keys)) and all(
        _named_by_root(keys, purpose)
        == {key.fingerprint for key in keys.facts(purpose, KeyState.CURRENT)}
        for purpose in METADATA
    )


def _named_by_root(keys: KeyDirectory, purpose: Purpose) -> set[str]:
    root = tuf_repository.MetadataRepository(keys.path("metadata")).root()
    return set(root.roles[purpose.value].keyids)


def check_keys(keys: KeyDirectory) -> None:
    """Make sure that a root can be signed, before anything is made that needs one.

    Raises:
        SigningFailure: Too few root keys are at hand.
    """
    found = keys.facts(Purpose.ROOT, KeyState.CURRENT)
    here = sum(keys.is_at_hand(key) for key in found)
    needed = min(THRESHOLD, len(found))
    if here < needed:
        raise SigningFailure(
            f"a root is signed by {needed} root keys, and {here} are in {keys.path('private')}",
            hint="bring the media that they are kept on, and link the files to that place",
        )


def newest(keys: KeyDirectory) -> tuple[str, int] | None:
    """The newest root's file name, and when it expires, seconds since 1970; None without one.

    Raises:
        SigningFailure: It cannot be read.
    """
    number = version(keys)
    if not number:
        return None
    end = tuf_repository.MetadataRepository(keys.path("metadata")).root().expires
    return f"{number}.root.json", int((end - moment(0)).total_seconds())


def version(keys: KeyDirectory) -> int:
    """The number of the newest root; 0 if there is none."""
    return tuf_repository.MetadataRepository(keys.path("metadata")).root_version()


def _public_key(keys: KeyDirectory, key: KeyFacts) -> PublicKey:
    name = f"{key.name}.pem"
    found = serialization.load_pem_public_key(keys.read("public", name))
    if not isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningFailure(f"public/{name} has neither an RSA nor an elliptic-curve key")
    return found
