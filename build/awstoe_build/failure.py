"""The error of the build, and how a command of the build, signing and release tools reports one."""

import sys
from collections.abc import Callable

from awstoe.errors import AwstoeError


class BuildFailure(AwstoeError):
    """The build cannot continue."""

    hint: str
    """What to do about it; empty if there is nothing to say."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)


def exit_code_of(program: str, command: Callable[[], int], *, interrupted: str) -> int:
    """Run a command, report its error on standard error, and return its exit code.

    Args:
        program: The name that each message starts with.
        command: Returns the exit code.
        interrupted: What to tell the user after Ctrl-C.
    """
    try:
        return command()
    except AwstoeError as error:
        sys.stderr.write(f"{program}: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  hint: {error.hint}\n")
        return 1
    except OSError as error:
        path = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"{program}: {path}{error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"{program}: interrupted; {interrupted}\n")
        return 130
