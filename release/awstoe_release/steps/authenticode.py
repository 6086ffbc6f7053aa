"""authenticode: add Windows' own signature to the Windows programs; take the others as built."""

import datetime as dt
import os
import shutil

from cryptography import x509

from awstoe.trust.authenticode import verify as verifier
from awstoe_release import keys
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.release import Release, StepResult
from awstoe_signing.authenticode import sign as authenticode
from awstoe_signing.authenticode.sign import Description
from awstoe_signing.authenticode.timestamp import Server


def run(release: Release) -> StepResult:
    """Put every program into the tree, and sign those for Windows.

    Raises:
        SigningFailure: A program cannot be signed.
        ReleaseFailure: A program cannot be copied.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would sign the Windows programs")
    signed: dict[str, object] = {}
    for target in release.targets:
        place = release.program(target)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if target.startswith("windows/"):
                verdict = _sign(release, release.built(target), place)
                signed[target] = {"thumbprint": verdict.thumbprint, "signer": verdict.signer}
                release.log(f"  {target}: {verdict.signer}, thumbprint {verdict.thumbprint}")
            else:
                shutil.copy(release.built(target), place + ".new")
                os.replace(place + ".new", place)
        except OSError as error:
            raise ReleaseFailure(f"{place} cannot be written: {error.strerror}") from error
    if not signed:
        release.log("  no Windows program: nothing to sign")
    return StepResult({"signed": signed}, [release.program(target) for target in release.targets])


def _sign(release: Release, source: str, target: str) -> verifier.SignatureResult:
    """Sign one program. It gets its name only after it is verified."""
    authority = None
    server = release.configuration.signing.timestamp_server
    if server:
        roots = x509.load_pem_x509_certificates(keys.trust(release).stamp_roots)
        authority = Server(server, roots)
    product = release.configuration.product
    return authenticode.sign(
        source,
        target,
        identity=keys.windows_identity(release),
        description=Description(product.title, product.source),
        at=dt.datetime.now(dt.UTC),
        authority=authority,
    )
