"""Signs and reads the root of trust metadata of a folder of keys: which keys sign what."""

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
"""The number of root keys that must sign a root; fewer if there are fewer root keys."""


def write(keys: KeyDirectory, *, now: int) -> int:
    """Sign the next root, which names the current metadata keys. Return its version.

    The keys of the current root and the new keys sign, as far as they are available.

    Raises:
        SigningFailure: Too few of them are available.
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
        current_root = keys.read("metadata", f"{number}.root.json")
        data = tuf_repository.rotate_root(current_root, roles, signers, expires=expires)
    else:
        data = tuf_repository.create_root(roles, signers, expires=expires)
    keys.write(data, "metadata", f"{number + 1}.root.json")
    return number + 1


def is_current(keys: KeyDirectory) -> bool:
    """Whether there is a root that names the current keys of the registry."""
    return bool(version(keys)) and all(
        _named_by_root(keys, purpose)
        == {key.fingerprint for key in keys.facts(purpose, KeyState.CURRENT)}
        for purpose in METADATA
    )


def _named_by_root(keys: KeyDirectory, purpose: Purpose) -> set[str]:
    root = tuf_repository.MetadataRepository(keys.path("metadata")).root()
    return set(root.roles[purpose.value].keyids)


def check_keys(keys: KeyDirectory) -> None:
    """Check that a root can be signed, before anything is made that needs a root.

    Raises:
        SigningFailure: Too few root keys are available.
    """
    found = keys.facts(Purpose.ROOT, KeyState.CURRENT)
    here = sum(keys.is_at_hand(key) for key in found)
    needed = min(THRESHOLD, len(found))
    if here < needed:
        raise SigningFailure(
            f"a root is signed by {needed} root keys, and {here} are in {keys.path('private')}",
            hint="insert the media with the keys, then link each key: ln -s FILE"
            f" {keys.path('private')}",
        )


def newest(keys: KeyDirectory) -> tuple[str, int] | None:
    """Return the newest root's file name and expiry in seconds since 1970; None without a root.

    Raises:
        SigningFailure: It cannot be read.
    """
    number = version(keys)
    if not number:
        return None
    end = tuf_repository.MetadataRepository(keys.path("metadata")).root().expires
    return f"{number}.root.json", int((end - moment(0)).total_seconds())


def version(keys: KeyDirectory) -> int:
    """Return the number of the newest root; 0 if there is none."""
    return tuf_repository.MetadataRepository(keys.path("metadata")).root_version()


def _public_key(keys: KeyDirectory, key: KeyFacts) -> PublicKey:
    name = f"{key.name}.pem"
    found = serialization.load_pem_public_key(keys.read("public", name))
    if not isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningFailure(f"public/{name} has neither an RSA nor an elliptic-curve key")
    return found
