"""The keys that a release signs with and users verify with, from one folder of keys."""

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
    """Return the folder of keys.

    Raises:
        ReleaseFailure: No folder is set.
        SigningFailure: The folder has no keys.
    """
    if not release.keys:
        raise ReleaseFailure(
            "the folder of keys is not set",
            hint="set it with --keys DIR, AWSTOE_RELEASE_SIGNING_KEYS, or signing.keys in"
            " release.toml; the key ceremony creates one (docs/trust.md)",
        )
    return KeyDirectory(release.keys)


@functools.cache
def _opened(folder: str, key: KeyFacts) -> Signer:
    """Open a private key once: that asks for a passphrase, and takes half a second."""
    return KeyDirectory(folder).open(key)


def signers(release: Release, purpose: Purpose) -> tuple[Signer, ...]:
    """Return the current private keys for a purpose.

    Raises:
        SigningFailure: A key is missing or cannot be opened.
    """
    keys = directory(release)
    return (_opened(keys.folder, keys.only(purpose)),)


def metadata_signers(release: Release) -> ReleaseSigners:
    """Return the keys that sign trust metadata for a release.

    Raises:
        SigningFailure: A key is missing or cannot be opened.
    """
    return ReleaseSigners(
        targets=signers(release, Purpose.TARGETS),
        snapshot=signers(release, Purpose.SNAPSHOT),
        timestamp=signers(release, Purpose.TIMESTAMP),
    )


def windows_identity(release: Release) -> SigningIdentity:
    """Return the key and certificates that sign Windows programs.

    Raises:
        SigningFailure: They are missing or cannot be opened.
    """
    keys = directory(release)
    key, certificates = lifecycle.authenticode_key(keys)
    return SigningIdentity(_opened(keys.folder, key), certificates)


def trust(release: Release) -> ReleaseTrust:
    """Return the trust that is baked into the programs of this release.

    Raises:
        ReleaseFailure: The folder has no release keys.
        TrustError: The folder is damaged.
    """
    directory(release)
    found = release_trust.read(release.trust)
    if found is None:
        raise ReleaseFailure(
            f"{release.trust}: expected the release keys' public halves ({release_trust.FACTS})",
            hint="complete the key ceremony: docs/trust.md",
        )
    return found


def keyring(release: Release) -> Keyring:
    """Return the keys that users verify with.

    Raises:
        ReleaseFailure: The folder has no release keys.
        TrustError: They cannot be read.
    """
    return trust(release).keyring()


def openpgp(release: Release) -> Key:
    """Return the private key that signs files.

    Raises:
        SigningFailure: It is missing or cannot be opened.
        ReleaseFailure: Users do not know it.
    """
    keys = directory(release)
    facts = keys.only(Purpose.OPENPGP)
    key = lifecycle.certificate(keys, facts).key(_opened(keys.folder, facts))
    if key.public.fingerprint not in trust(release).openpgp:
        raise ReleaseFailure(
            f"the signing key {key.public.fingerprint} is not in {release.trust}, which users"
            " verify with",
            hint=f"write that folder again: awstoe-signing trust --directory {keys.folder}",
        )
    return key


def expires(release: Release, fingerprint: str) -> int | None:
    """Return when an OpenPGP key expires, in seconds since 1970; None if never.

    Raises:
        ReleaseFailure: Users do not know the key, or it must not sign.
    """
    for certificate in keyring(release).certificates:
        for found in certificate.signing_keys(int(time.time())):
            if found.key.fingerprint == fingerprint:
                if found.problem is not None:
                    raise ReleaseFailure(f"the signing key {fingerprint}: {found.problem.reason}")
                return found.expires
    raise ReleaseFailure(f"the signing key {fingerprint} is not in {release.trust}")
