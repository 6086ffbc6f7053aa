"""Whether a program starts: it is run once, and has to tell the version that was expected."""

import time
from typing import Final

from awstoe import limits
from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption
from awstoe.update.errors import DoesNotStart
from awstoe.update.releases import Version

_SHOWN: Final = 400
_PREFIX: Final = "awstoe "


def check(path: str, expected: Version) -> None:
    """Make sure that a program starts and is the version expected.

    Raises:
        DoesNotStart: It does not start, or tells another version.
    """
    told = _told(path)
    if told != f"{_PREFIX}{expected}":
        raise DoesNotStart(
            f"the new version calls itself {told!r}, expected '{_PREFIX}{expected}'",
            hint="the release is wrong: report this",
        )


def version_of(path: str) -> Version:
    """Ask a program that is trusted for its version.

    Raises:
        DoesNotStart: It does not start, or tells none.
    """
    told = _told(path)
    try:
        return Version(told.removeprefix(_PREFIX))
    except ValueError as error:
        raise DoesNotStart(f"{path} tells no version, but {told!r}") from error


def _told(path: str) -> str:
    """What ``path --version`` prints, run as if a user did."""
    # It must unpack itself anew: with this process's variables it would borrow our files.
    environment = {**child_environment(), "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    said, complained = bytearray(), bytearray()
    try:
        end = children.run(
            (path, "--version"),
            environment=environment,
            on_stdout=said.extend,
            on_stderr=complained.extend,
            deadline=time.monotonic() + limits.UPDATE_HEALTH_SECONDS,
            interruption=Interruption(),
        )
    except (HostError, TimeoutExceeded) as error:
        raise DoesNotStart(f"the program does not start: {error.message}") from error
    if end.exit_code:
        words = _shown(complained) or _shown(said) or "it says nothing"
        raise DoesNotStart(
            f"the program does not start: exit code {end.exit_code}: {words}",
            hint="it may not be for this machine; keep the installed one and report this",
        )
    return _shown(said)


def _shown(output: bytearray) -> str:
    return output[:_SHOWN].decode(errors="replace").strip()
