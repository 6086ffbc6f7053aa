"""What a release signs with, and what users verify it with: both from one folder of keys."""

import functools
import time

from awstoe.trust import release_trust
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.release_trust import ReleaseTrust
from awstoe_release.failure import ReleaseFailure
from awstoe_release.release import Release
from awstoe_signing.authenticode.sign import SigningIdentity
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory, KeyFacts, Purpose
from awstoe_signing.keys.signers import Signer
from awstoe_signing.openpgp.sign import Key
from awstoe_signing.tuf.repository import ReleaseSigners


def directory(release: Release) -> KeyDirectory:
    """The folder of keys.

    Raises:
        ReleaseFailure: It is not named, or not there.
    """
    if not release.keys:
        raise ReleaseFailure(
            "the folder of keys is not named",
            hint="name it: --keys DIR, AWSTOE_RELEASE_SIGNING_KEYS, or signing.keys in"
            " release.toml; the key ceremony makes one (docs/trust.md)",
        )
    return KeyDirectory(release.keys)


@functools.cache
def _opened(folder: str, key: KeyFacts) -> Signer:
    """A private key, opened once: a passphrase is asked for, and takes half a second to try."""
    return KeyDirectory(folder).open(key)


def signers(release: Release, purpose: Purpose) -> tuple[Signer, ...]:
    """The current private keys for a purpose.

    Raises:
        ReleaseFailure: One cannot be had.
    """
    keys = directory(release)
    return (_opened(keys.folder, keys.only(purpose)),)


def metadata_signers(release: Release) -> ReleaseSigners:
    """The keys that sign trust metadata for a release.

    Raises:
        ReleaseFailure: One cannot be had.
    """
    return ReleaseSigners(
        targets=signers(release, Purpose.TARGETS),
        snapshot=signers(release, Purpose.SNAPSHOT),
        timestamp=signers(release, Purpose.TIMESTAMP),
    )


def windows_identity(release: Release) -> SigningIdentity:
    """The key and certificates that sign Windows programs.

    Raises:
        ReleaseFailure: There are none.
    """
    keys = directory(release)
    key, certificates = lifecycle.authenticode_key(keys)
    return SigningIdentity(_opened(keys.folder, key), certificates)


def trust(release: Release) -> ReleaseTrust:
    """What the programs of this release trust.

    Raises:
        ReleaseFailure: The folder has no release keys, or is damaged.
    """
    directory(release)
    found = release_trust.read(release.trust)
    if found is None:
        raise ReleaseFailure(
            f"{release.trust}: expected the release keys' public halves ({release_trust.FACTS})",
            hint="finish the key ceremony: docs/trust.md",
        )
    return found


def keyring(release: Release) -> Keyring:
    """The keys that users verify with.

    Raises:
        ReleaseFailure: They cannot be read.
    """
    found = trust(release)
    return found.keyring()


def openpgp(release: Release) -> Key:
    """The private key that signs files; users know it.

    Raises:
        ReleaseFailure: It cannot be had, or users do not know it.
    """
    keys = directory(release)
    facts = keys.only(Purpose.OPENPGP)
    key = lifecycle.certificate(keys, facts).key(_opened(keys.folder, facts))
    if key.public.fingerprint not in trust(release).openpgp:
        raise ReleaseFailure(
            f"the signing key {key.public.fingerprint} is none of those in {release.trust},"
            " which users verify with",
            hint="write that folder anew: python -m awstoe_signing trust --directory DIR",
        )
    return key


def expires(release: Release, fingerprint: str) -> int | None:
    """When an OpenPGP key expires, seconds since 1970; None if never.

    Raises:
        ReleaseFailure: It is not known, or may not sign.
    """
    for certificate in keyring(release).certificates:
        for found in certificate.signing_keys(int(time.time())):
            if found.key.fingerprint == fingerprint:
                if found.problem is not None:
                    raise ReleaseFailure(f"the signing key {fingerprint}: {found.problem.reason}")
                return found.expires
    raise ReleaseFailure(f"the signing key {fingerprint} is not in {release.trust}")
