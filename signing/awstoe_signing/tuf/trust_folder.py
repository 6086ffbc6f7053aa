"""Writes the trust folder, which is baked into programs, from the folder of keys."""

import json
import os

from cryptography.hazmat.primitives import serialization

from awstoe.trust import release_trust
from awstoe.trust.policy import KeyState
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.directory import KeyDirectory, Purpose
from awstoe_signing.keys.lifecycle import certificate, read_chain
from awstoe_signing.openpgp import sign as signing
from awstoe_signing.tuf import root as tuf_root


def write(keys: KeyDirectory) -> str:
    """Write the folder that ``make build TRUST=`` bakes in. Return its path.

    Raises:
        SigningFailure: A required key does not exist yet.
    """
    version = tuf_root.version(keys)
    if not version:
        raise SigningFailure(f"{keys.folder} has no root of trust metadata yet")
    keys.only(Purpose.OPENPGP)
    openpgp = keys.facts(Purpose.OPENPGP)
    certificates = b"".join(certificate(keys, key).to_bytes() for key in openpgp)
    # A key without a fingerprint has no certificate yet, and has signed nothing.
    authenticode = [key for key in keys.facts(Purpose.AUTHENTICODE) if key.fingerprint]
    roots = {read_chain(keys, key)[-1] for key in authenticode if key.state is not KeyState.REVOKED}
    pem = sorted(each.public_bytes(serialization.Encoding.PEM) for each in roots)
    facts = {
        "format": release_trust.FORMAT,
        "product": keys.release.product,
        "rehearsal": keys.release.is_rehearsal,
        "url": keys.release.url,
        "openpgp": {key.fingerprint: key.state.value for key in openpgp},
        # Revoked keys as well: programs still require a signature by a key that is not revoked.
        "authenticode": {key.fingerprint: key.state.value for key in authenticode},
    }
    armored = signing.armored(certificates, signing.PUBLIC_KEY_BLOCK)
    keys.write(armored, "trust", release_trust.KEYRING)
    keys.write(keys.read("metadata", f"{version}.root.json"), "trust", release_trust.ROOT)
    keys.write(b"".join(pem), "trust", release_trust.AUTHENTICODE_ROOTS)
    timestamp_authorities = b""
    if os.path.exists(keys.path("public", release_trust.STAMP_ROOTS)):
        timestamp_authorities = keys.read("public", release_trust.STAMP_ROOTS)
    # Also if there are none, to remove earlier ones.
    keys.write(timestamp_authorities, "trust", release_trust.STAMP_ROOTS)
    # Last: a folder without this file means a development build.
    keys.write(json.dumps(facts, indent=4).encode() + b"\n", "trust", release_trust.FACTS)
    return keys.path("trust")
