"""Runs other programs; the only module of the signing tools that does. No shell."""

import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from awstoe_signing.failure import SigningFailure


class Ended(NamedTuple):
    """A program that has ended."""

    exit_code: int
    output: str
    """Standard output and standard error."""


def run(command: Sequence[str], *, seconds: float) -> Ended:
    """Run a program and wait for it.

    Args:
        command: The program and its arguments.
        seconds: The time limit.

    Raises:
        SigningFailure: It cannot be started, or takes too long.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise SigningFailure(
            f"{command[0]} was ended: it did not finish within {seconds:g} seconds"
        ) from error
    except OSError as error:
        raise SigningFailure(f"{command[0]} cannot be run: {error}") from error
    output = (ended.stdout + ended.stderr).decode(errors="replace").strip()
    return Ended(ended.returncode, output)
