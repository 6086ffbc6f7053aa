"""What a machine lacks to build a toolchain, found out before anything starts."""

import os
import shutil
from collections.abc import Sequence
from typing import Final

from awstoe_build import programs
from awstoe_build.failure import BuildFailure
from awstoe_build.targets import Target

# Program or file, and the Debian package it comes with.
_TOOLCHAIN: Final = {
    "apt-get": "apt",
    "autoreconf": "autoconf",
    "aclocal": "automake",
    "libtoolize": "libtool",
    "make": "make",
    "patch": "patch",
    "perl": "perl",
    "/usr/share/aclocal/ltdl.m4": "libltdl-dev",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
_FREEZE: Final = {
    "strip": "binutils",
    "objcopy": "binutils",
}
_GIGABYTE: Final = 1_000_000_000
TOOLCHAIN_SPACE: Final = 3 * _GIGABYTE
"""What building the layers of one target takes at most, scratch and compiler cache included."""
FREEZE_SPACE: Final = _GIGABYTE // 5
"""What freezing takes at most."""


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
    wanted = {**(_TOOLCHAIN if building else {}), **_FREEZE}
    packages = {package for what, package in wanted.items() if not _is_there(what)}
    for target in targets:
        if not os.path.exists(target.interpreter):
            packages |= set(target.packages)
    if packages:
        raise BuildFailure(
            f"missing on this machine: {', '.join(sorted(packages))}", hint=_advice(packages)
        )
    for folder, needed in ((cache, TOOLCHAIN_SPACE if building else 0), (out, FREEZE_SPACE)):
        free = free_space(folder)
        if free < needed:
            raise BuildFailure(
                f"{folder} has {free / _GIGABYTE:.1f} GB free, {needed / _GIGABYTE:.1f} GB may be"
                " needed",
                hint="free some space, or name another cache folder by AWSTOE_BUILD_CACHE",
            )


def free_space(folder: str) -> int:
    """The bytes that are free where ``folder`` is, or will be."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return shutil.disk_usage(folder).free


def _is_there(what: str) -> bool:
    return os.path.exists(what) if what.startswith("/") else programs.is_there(what)


def _advice(packages: set[str]) -> str:
    """The commands that install what is missing, for somebody to copy."""
    foreign = sorted({each.partition(":")[2] for each in packages} - {""})
    add = [f"dpkg --add-architecture {each}" for each in foreign]
    update = ["apt-get update"] if foreign else []
    install = f"apt-get install --no-install-recommends {' '.join(sorted(packages))}"
    return "as root: " + " && ".join([*add, *update, install])
