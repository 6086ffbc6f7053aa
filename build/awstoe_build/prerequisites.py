"""What a machine lacks to build a toolchain, found out before anything starts."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from awstoe_build import commands
from awstoe_build.failure import BuildFailure
from awstoe_build.targets import System, Target, here

# Program or file, and the Debian package it comes with.
_TOOLCHAIN: Final = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "patch": "patch",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
# By the system that the target runs.
_TOOLCHAIN_FOR: Final[Mapping[System, Mapping[str, str]]] = {
    System.LINUX: {
        "autoreconf": "autoconf",
        "aclocal": "automake",
        "libtoolize": "libtool",
        "make": "make",
        "perl": "perl",
        "/usr/share/aclocal/ltdl.m4": "libltdl-dev",
    },
    System.WINDOWS: {},
}
_FREEZE_FOR: Final[Mapping[System, Mapping[str, str]]] = {
    System.LINUX: {"strip": "binutils", "objcopy": "binutils"},
    System.WINDOWS: {
        "wineserver": "wine",
        "/usr/lib/wine/wine64": "wine64",
        # Only suggested by the package wine64. It keeps the heap off the address where Wine needs a
        # page of its own; without it, some 1 of 1,500 runs of a single file fails.
        "/usr/lib/wine/wine64-preloader": "wine64-preloader",
    },
}
_GIGABYTE: Final = 1_000_000_000
TOOLCHAIN_SPACE: Final = 3 * _GIGABYTE
"""What building the layers of one target takes at most, scratch and compiler cache included."""
FREEZE_SPACE: Final[Mapping[System, int]] = {
    System.LINUX: _GIGABYTE // 5,
    System.WINDOWS: _GIGABYTE,
}
"""What freezing takes at most; a Windows machine of Wine's alone is 0.7 GB."""


def check(targets: Sequence[Target], *, building: bool, cache: str, out: str) -> None:
    """Refuse to start on a machine that cannot finish.

    Args:
        targets: What is to be made.
        building: Whether layers have to be built, which takes more than freezing.
        cache: The folder of the layers.
        out: The folder that files are frozen in.

    Raises:
        BuildFailure: Packages or disk space are missing: all of them at once.
    """
    match here():
        case System.LINUX:
            _check_packages(targets, building=building)
        case System.WINDOWS:
            _check_pip(building=building)
    freezing = max(FREEZE_SPACE[target.system] for target in targets)
    for folder, needed in ((cache, TOOLCHAIN_SPACE if building else 0), (out, freezing)):
        free = free_space(folder)
        if free < needed:
            raise BuildFailure(
                f"{folder} has {free / _GIGABYTE:.1f} GB free, {needed / _GIGABYTE:.1f} GB may be"
                " needed",
                hint="free some space, or name another cache folder by AWSTOE_BUILD_CACHE",
            )


def missing_packages(targets: Sequence[Target], *, building: bool) -> set[str]:
    """The packages of Debian that this machine lacks for some targets."""
    wanted = dict(_TOOLCHAIN if building else {})
    for system in {target.system for target in targets}:
        wanted |= _FREEZE_FOR[system]
        if building:
            wanted |= _TOOLCHAIN_FOR[system]
    for target in targets:
        wanted |= dict(target.to_freeze)
        if building:
            wanted |= dict(target.to_build)
    return {package for what, package in wanted.items() if not _is_there(what)}


def _check_packages(targets: Sequence[Target], *, building: bool) -> None:
    if packages := missing_packages(targets, building=building):
        raise BuildFailure(
            f"missing on this machine: {', '.join(sorted(packages))}", hint=_advice(packages)
        )


def _check_pip(*, building: bool) -> None:
    if building and importlib.util.find_spec("pip") is None:
        raise BuildFailure(
            "the Python that runs the build has no pip", hint=f"{sys.executable} -m ensurepip"
        )


def free_space(folder: str) -> int:
    """The bytes that are free where ``folder`` is, or will be.

    Raises:
        BuildFailure: There is no such drive.
    """
    place = folder
    while not os.path.isdir(place):
        above = os.path.dirname(place)
        if above == place:
            raise BuildFailure(f"{folder} cannot be made: {place} is not there")
        place = above
    return shutil.disk_usage(place).free


def _is_there(what: str) -> bool:
    return os.path.exists(what) if what.startswith("/") else commands.is_installed(what)


def _advice(packages: set[str]) -> str:
    """The commands that install what is missing, for somebody to copy."""
    foreign = sorted({each.partition(":")[2] for each in packages} - {""})
    add = [f"dpkg --add-architecture {each}" for each in foreign]
    update = ["apt-get update"] if foreign else []
    install = f"apt-get install --no-install-recommends {' '.join(sorted(packages))}"
    return "as root: " + " && ".join([*add, *update, install])
