"""Smoke test: runs a program once, and checks that it prints the expected version."""

import time
from typing import Final

from awstoe import contact, limits
from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption
from awstoe.update.errors import DoesNotStart
from awstoe.update.releases import Version

_MOST_BYTES: Final = 400
"""Of the output in a message."""
_PREFIX: Final = "awstoe "


def check(path: str, expected: Version) -> None:
    """Check that a program starts and is the expected version.

    Raises:
        DoesNotStart: It does not start, or prints another version.
    """
    output = _version_output(path)
    if output != f"{_PREFIX}{expected}":
        raise DoesNotStart(
            f"the new version calls itself {output!r}, expected '{_PREFIX}{expected}'",
            hint=f"the release is faulty: {contact.report_bug()}",
        )


def version_of(path: str) -> Version:
    """Return the version that a trusted program prints.

    Raises:
        DoesNotStart: It does not start, or does not print a version.
    """
    output = _version_output(path)
    try:
        return Version(output.removeprefix(_PREFIX))
    except ValueError as error:
        raise DoesNotStart(f"{path}: expected a version, got {output!r}") from error


def _version_output(path: str) -> str:
    """Run ``path --version`` as a user would, and return its output."""
    # It must unpack itself: with the variables of this process it would use our unpack folder.
    environment = {**child_environment(), "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    stdout, stderr = bytearray(), bytearray()
    try:
        end = children.run(
            (path, "--version"),
            environment=environment,
            on_stdout=stdout.extend,
            on_stderr=stderr.extend,
            deadline=time.monotonic() + limits.UPDATE_HEALTH_SECONDS,
            interruption=Interruption(),
        )
    except (HostError, TimeoutExceeded) as error:
        raise DoesNotStart(f"the program does not start: {error.message}") from error
    if end.exit_code:
        output = _decoded(stderr) or _decoded(stdout) or "it printed nothing"
        raise DoesNotStart(
            f"the program does not start: exit code {end.exit_code}: {output}",
            hint="it may not be for this machine; keep the installed version, and"
            f" {contact.report_bug()}",
        )
    return _decoded(stdout)


def _decoded(output: bytearray) -> str:
    return output[:_MOST_BYTES].decode(errors="replace").strip()
