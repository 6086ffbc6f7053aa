"""Wine: runs programs of Windows on the Linux machine that builds.

Everything happens in a prefix of its own, a folder that acts as the Windows machine, and with that
prefix's own server, which is ended with it. There is no screen. A program's standard streams must
be pipes or the null device: one that has a regular file ends at its start.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from awstoe_build import programs
from awstoe_build.failure import BuildFailure

PROGRAMS: Final = ("wine", "wineserver", "wineboot")


def environment(prefix: str) -> dict[str, str]:
    """The environment for a program in a prefix."""
    return {
        **programs.clean_environment(),
        "WINEPREFIX": prefix,
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        # No .NET, no HTML viewer, no menus of the desktop.
        "WINEDLLOVERRIDES": "mscoree,mshtml=d;winemenubuilder.exe=d",
    }


def path(name: str) -> str:
    """How Windows programs call a file of this machine: its root is the drive Z."""
    return "Z:" + os.path.abspath(name).replace("/", "\\")


@contextmanager
def machine(prefix: str, libraries: Sequence[str] = ()) -> Iterator[Mapping[str, str]]:
    """A Windows machine that is there while the context lasts, with all that runs in it.

    Args:
        prefix: Its folder, made if it is not there.
        libraries: Files that are put where Windows has its own libraries.

    Yields:
        The environment for programs in it.

    Raises:
        BuildFailure: Wine is missing or does not start.
    """
    chosen = environment(prefix)
    log = prefix + ".log"
    try:
        os.makedirs(prefix, exist_ok=True)
        try:
            programs.run(
                ("wineboot", "--init"),
                folder=prefix,
                environment=chosen,
                log=log,
                hint="is there enough space, and are the packages of Wine whole?",
            )
            _install(prefix, libraries)
            yield chosen
        finally:
            end(prefix)
    except OSError as error:
        raise BuildFailure(
            f"a machine for Wine cannot be made in {prefix}: {error.strerror or error}"
        ) from error


def end(prefix: str) -> None:
    """End all that runs in a prefix, its server too."""
    log = prefix + ".log"
    for command in (("wineserver", "--kill"), ("wineserver", "--wait")):
        try:
            programs.run(command, folder=prefix, environment=environment(prefix), log=log)
        except BuildFailure:
            break  # there was no server
    _remove_server_folder(prefix)


def _remove_server_folder(prefix: str) -> None:
    """Debian's Wine makes one below /tmp, notes its name in the prefix, and never removes it."""
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
