"""Checks, before a build starts, that the machine has the packages and disk space it needs."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from awstoe_build import commands
from awstoe_build.failure import BuildFailure
from awstoe_build.targets import System, Target, here

# Programs and files, each with the Debian package that contains it.
_TOOLCHAIN: Final = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "patch": "patch",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
# The same, by the target's system.
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
        # The package wine64 only suggests it. It keeps the heap away from an address where Wine
        # needs a page of its own. Without it, about 1 of 1,500 runs of a one-file program fails.
        "/usr/lib/wine/wine64-preloader": "wine64-preloader",
    },
}
_GIGABYTE: Final = 1_000_000_000
TOOLCHAIN_SPACE: Final = 3 * _GIGABYTE
"""The most disk space that the layers of one target need while they are built, with the scratch
folders and the compiler's cache."""
FREEZE_SPACE: Final[Mapping[System, int]] = {
    System.LINUX: _GIGABYTE // 5,
    System.WINDOWS: _GIGABYTE,
}
"""The most disk space that freezing needs. A Wine prefix alone has 0.7 GB."""


def check(targets: Sequence[Target], *, building: bool, cache: str, out: str) -> None:
    """Check that this machine can finish the build.

    Args:
        targets: The targets to build.
        building: Whether layers have to be built, which needs more than freezing.
        cache: The folder of the layers.
        out: The folder for freezing.

    Raises:
        BuildFailure: Packages are missing (all are named), or there is too little disk space.
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
                f"{folder} has {free / _GIGABYTE:.1f} GB free, the build may need"
                f" {needed / _GIGABYTE:.1f} GB",
                hint="free some space, or set AWSTOE_BUILD_CACHE to another folder for the layers",
            )


def missing_packages(targets: Sequence[Target], *, building: bool) -> set[str]:
    """Return the Debian packages for some targets that this machine does not have."""
    needed = dict(_TOOLCHAIN if building else {})
    for system in {target.system for target in targets}:
        needed |= _FREEZE_FOR[system]
        if building:
            needed |= _TOOLCHAIN_FOR[system]
    for target in targets:
        needed |= dict(target.to_freeze)
        if building:
            needed |= dict(target.to_build)
    return {package for name, package in needed.items() if not _is_installed(name)}


def _check_packages(targets: Sequence[Target], *, building: bool) -> None:
    if packages := missing_packages(targets, building=building):
        raise BuildFailure(
            f"missing on this machine: {', '.join(sorted(packages))}",
            hint=_install_command(packages),
        )


def _check_pip(*, building: bool) -> None:
    if building and importlib.util.find_spec("pip") is None:
        raise BuildFailure(
            "the Python that runs the build has no pip", hint=f"run: {sys.executable} -m ensurepip"
        )


def free_space(folder: str) -> int:
    """Return the free bytes on the file system of ``folder``, which may not exist yet.

    Raises:
        BuildFailure: No parent folder exists, not even the drive.
    """
    existing = folder
    while not os.path.isdir(existing):
        parent = os.path.dirname(existing)
        if parent == existing:
            raise BuildFailure(f"cannot create {folder}: {existing} does not exist")
        existing = parent
    return shutil.disk_usage(existing).free


def _is_installed(name: str) -> bool:
    return os.path.exists(name) if name.startswith("/") else commands.is_installed(name)


def _install_command(packages: set[str]) -> str:
    """Return a hint with the commands that install what is missing."""
    foreign = sorted({each.partition(":")[2] for each in packages} - {""})
    add = [f"dpkg --add-architecture {each}" for each in foreign]
    update = ["apt-get update"] if foreign else []
    install = f"apt-get install --no-install-recommends {' '.join(sorted(packages))}"
    return "run as root: " + " && ".join([*add, *update, install])
