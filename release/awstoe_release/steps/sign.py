"""sign: write a detached OpenPGP signature beside every file of the version, and verify it."""

import os
import time

from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.openpgp.keyring import Keyring
from awstoe_release import keys, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import KEYRING, SIGNATURE, Phase
from awstoe_release.release import Release, StepResult
from awstoe_signing.openpgp import sign as openpgp_signing
from awstoe_signing.openpgp.sign import Key


def run(release: Release) -> StepResult:
    """Sign the files that have no good signature yet.

    Raises:
        AwstoeError: A file cannot be signed, or its signature does not verify.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would sign every file of the version")
    state.write(release.document(KEYRING), keys.trust(release).keys)
    key, ring = keys.openpgp(release), keys.keyring(release)
    wanted = [
        item.path
        for item in release.list_items()
        if item.phase is Phase.VERSIONED and item.key.endswith(SIGNATURE)
    ]
    kept = 0
    for path in wanted:
        signed = path.removesuffix(SIGNATURE)
        if os.path.exists(path) and not _problem(signed, path, ring):
            kept += 1
            continue
        _sign(key, signed, path)
        if problem := _problem(signed, path, ring):
            raise ReleaseFailure(f"{path} was written but does not verify: {problem}")
    release.log(f"  {len(wanted)} files signed by {key.public.fingerprint}, {kept} of them before")
    return StepResult(
        {"fingerprint": key.public.fingerprint, "files": len(wanted), "kept": kept},
        [*wanted, release.document(KEYRING)],
    )


def _sign(key: Key, path: str, signature: str) -> None:
    """Write the signature of a file."""
    try:
        with open(path, "rb") as stream:
            data = openpgp_signing.detached(key, stream, int(time.time()))
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be signed: {error.strerror}",
            hint="run the steps before this one: awstoe-release run --from build",
        ) from error
    state.write(signature, data)


def _problem(path: str, signature: str, ring: Keyring) -> str:
    """Return why a signature is not good; empty if it is good."""
    try:
        with open(signature, "rb") as stream:
            data = stream.read()
        with open(path, "rb") as stream:
            found = openpgp.verify(stream, data, ring, now=int(time.time()))
    except OSError as error:
        raise ReleaseFailure(f"{error.filename} cannot be read: {error.strerror}") from error
    return "" if found.is_good else found.deciding.reason or found.deciding.verdict.value
