"""Verifies a signed Windows program with osslsigncode, as a second opinion on our own code."""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe_signing import commands
from awstoe_signing.failure import SigningFailure

_NAME: Final = "osslsigncode"
_SECONDS: Final = 300


def accepts(
    path: str,
    *,
    roots: Sequence[x509.Certificate],
    timestamp_authorities: Sequence[x509.Certificate],
    at: datetime,
) -> bool:
    """Verify a signed Windows program with osslsigncode.

    Args:
        path: The program.
        roots: The certificates at which the signer's chain may end.
        timestamp_authorities: The same for the timestamp.
        at: The time to verify for.

    Returns:
        False if osslsigncode is not installed.

    Raises:
        SigningFailure: osslsigncode rejects the program, cannot be run, or takes too long.
    """
    program = shutil.which(_NAME)
    if program is None:
        return False
    with _pem(roots) as root_file, _pem(timestamp_authorities) as authority_file:
        trusted = ["-CAfile", root_file.name]
        if timestamp_authorities:
            trusted += ["-TSA-CAfile", authority_file.name]
        time = str(int(at.timestamp()))
        ended = commands.run(
            [program, "verify", "-time", time, *trusted, "-in", path], seconds=_SECONDS
        )
    if ended.exit_code:
        raise SigningFailure(f"{_NAME} rejects {path}; its output:\n{ended.output}")
    return True


def _pem(certificates: Sequence[x509.Certificate]) -> "tempfile._TemporaryFileWrapper[bytes]":
    file = tempfile.NamedTemporaryFile(suffix=".pem")  # noqa: SIM115 - the caller closes it
    file.write(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    file.flush()
    return file
