"""The folder ``trust``: what programs are built to trust, from the folder of keys."""

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
    """Write the folder that ``make build TRUST=`` bakes in; gives its path.

    Raises:
        SigningFailure: A key that it needs is not there yet.
    """
    version = tuf_root.version(keys)
    if not version:
        raise SigningFailure(f"{keys.folder} has no root of trust metadata yet")
    keys.only(Purpose.OPENPGP)
    openpgp = keys.facts(Purpose.OPENPGP)
    certificates = b"".join(certificate(keys, key).to_bytes() for key in openpgp)
    # Without a fingerprint it waits for its certificate, and has signed nothing yet.
    authenticode = [key for key in keys.facts(Purpose.AUTHENTICODE) if key.fingerprint]
    roots = {read_chain(keys, key)[-1] for key in authenticode if key.state is not KeyState.REVOKED}
    pem = sorted(each.public_bytes(serialization.Encoding.PEM) for each in roots)
    facts = {
        "format": release_trust.FORMAT,
        "product": keys.release.product,
        "rehearsal": keys.release.is_rehearsal,
        "url": keys.release.url,
        "openpgp": {key.fingerprint: key.state.value for key in openpgp},
        # Those that are revoked as well: programs go on asking for a signature by one that is not.
        "authenticode": {key.fingerprint: key.state.value for key in authenticode},
    }
    armored = signing.armored(certificates, signing.PUBLIC_KEY_BLOCK)
    keys.write(armored, "trust", release_trust.KEYRING)
    keys.write(keys.read("metadata", f"{version}.root.json"), "trust", release_trust.ROOT)
    keys.write(b"".join(pem), "trust", release_trust.AUTHENTICODE_ROOTS)
    stampers = b""
    if os.path.exists(keys.path("public", release_trust.STAMP_ROOTS)):
        stampers = keys.read("public", release_trust.STAMP_ROOTS)
    # Also when there are none: those of before must not stay.
    keys.write(stampers, "trust", release_trust.STAMP_ROOTS)
    # Last: the others without it are a development build.
    keys.write(json.dumps(facts, indent=4).encode() + b"\n", "trust", release_trust.FACTS)
    return keys.path("trust")
