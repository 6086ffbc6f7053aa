"""The one place where the signing tools start a program: osslsigncode, for a second opinion."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe_signing.failure import SigningFailure

_NAME: Final = "osslsigncode"
_SECONDS: Final = 300


def osslsigncode_agrees(
    path: str,
    *,
    roots: Sequence[x509.Certificate],
    stampers: Sequence[x509.Certificate],
    at: datetime,
) -> bool:
    """Have a signed Windows program verified by code that is not ours.

    Args:
        path: The program.
        roots: Certificates that the signer's chain may end at.
        stampers: The same for the time stamp.
        at: The time to verify for.

    Returns:
        False when osslsigncode is not installed, so that nobody was asked.

    Raises:
        SigningFailure: It was asked, and does not agree.
    """
    program = shutil.which(_NAME)
    if program is None:
        return False
    with _pem(roots) as root_file, _pem(stampers) as stamper_file:
        authorities = ["-CAfile", root_file.name]
        if stampers:
            authorities += ["-TSA-CAfile", stamper_file.name]
        try:
            ended = subprocess.run(  # noqa: S603 - a list of arguments, and no shell
                [program, "verify", "-time", str(int(at.timestamp())), *authorities, "-in", path],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SigningFailure(f"{_NAME} could not be asked about {path}: {error}") from error
    if ended.returncode:
        said = (ended.stdout + ended.stderr).decode(errors="replace").strip()
        raise SigningFailure(f"{_NAME} does not accept {path}; it says:\n{said}")
    return True


def _pem(certificates: Sequence[x509.Certificate]) -> "tempfile._TemporaryFileWrapper[bytes]":
    file = tempfile.NamedTemporaryFile(suffix=".pem")  # noqa: SIM115 - the caller ends it
    file.write(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    file.flush()
    return file
