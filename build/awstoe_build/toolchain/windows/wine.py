"""Runs Windows programs on the Linux build machine, with Wine.

Each use has a Wine prefix of its own, a folder that acts as the Windows machine, and a Wine server
of its own, which is stopped at the end. There is no display. The standard streams of a program must
be pipes or the null device: a program with a regular file as one of them exits when it starts.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from awstoe_build import commands
from awstoe_build.failure import BuildFailure

PROGRAMS: Final = ("wine", "wineserver", "wineboot")


def environment(prefix: str) -> dict[str, str]:
    """Return the environment for programs in a prefix."""
    return {
        **commands.clean_environment(),
        "WINEPREFIX": prefix,
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        # Without .NET, the HTML viewer and desktop menus.
        "WINEDLLOVERRIDES": "mscoree,mshtml=d;winemenubuilder.exe=d",
    }


def path(name: str) -> str:
    """Return the path that Windows programs use for a file: the root folder is drive Z."""
    return "Z:" + os.path.abspath(name).replace("/", "\\")


@contextmanager
def machine(prefix: str, libraries: Sequence[str] = ()) -> Iterator[Mapping[str, str]]:
    """Run a Windows machine while the context lasts. End all its programs afterward.

    Args:
        prefix: The machine's folder, which is created if it does not exist.
        libraries: Files to copy to the folder of Windows's own libraries.

    Yields:
        The environment for programs on the machine.

    Raises:
        BuildFailure: Wine is missing or does not start.
    """
    variables = environment(prefix)
    log = prefix + ".log"
    try:
        os.makedirs(prefix, exist_ok=True)
        try:
            commands.run(
                ("wineboot", "--init"),
                folder=prefix,
                environment=variables,
                log=log,
                hint="check the free disk space, and that the Wine packages are complete",
            )
            _install(prefix, libraries)
            yield variables
        finally:
            stop(prefix)
    except OSError as error:
        raise BuildFailure(
            f"cannot create a Wine prefix in {prefix}: {error.strerror or error}"
        ) from error


def stop(prefix: str) -> None:
    """End all programs in a prefix and its Wine server."""
    log = prefix + ".log"
    for command in (("wineserver", "--kill"), ("wineserver", "--wait")):
        try:
            commands.run(command, folder=prefix, environment=environment(prefix), log=log)
        except BuildFailure:
            break  # the server was not running
    _remove_server_folder(prefix)


def _remove_server_folder(prefix: str) -> None:
    """Remove the server's folder below /tmp, which Debian's Wine creates and never removes.

    Wine writes the folder's name to a file in the prefix.
    """
    note = os.path.join(prefix, "wineserver")
    try:
        with open(note, encoding="utf-8") as stream:
            name = stream.read().strip()
        os.remove(note)
    except OSError:
        return
    if name.startswith("wine-") and "/" not in name:
        shutil.rmtree(os.path.join("/tmp", name), ignore_errors=True)  # noqa: S108 - Wine's choice


def _install(prefix: str, libraries: Sequence[str]) -> None:
    system = os.path.join(prefix, "drive_c", "windows", "system32")
    for library in libraries:
        shutil.copy(library, system)
