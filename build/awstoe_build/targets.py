"""The targets: what differs between them, as data. All recipes are functions of one of these."""

import platform
import sys
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure

Glibc = tuple[int, int]

GLIBC_FLOOR: Final[Glibc] = (2, 17)
"""What the files may ask of the C library at most: RHEL 7's, which every Linux we know of has."""


class Target(NamedTuple):
    """One kind of machine that a file is made for."""

    name: str
    """As the dist folder and ``TARGET=`` have it."""
    zig: str
    """zig's name for machine, system and lowest C library."""
    triple: str
    """autoconf's name."""
    openssl: str
    """OpenSSL's name, the argument of its Configure."""
    elf: tuple[int, int]
    """Class (32 or 64) and machine number in the head of its ELF files."""
    interpreter: str
    """The dynamic loader of its programs, that a machine has to have to run them."""
    size_budget: int
    """What the finished file may weigh, in bytes."""
    packages: tuple[str, ...] = ()
    """Debian packages that an amd64 machine needs for it besides the native target's."""
    openssl_flags: tuple[str, ...] = ()


MEGABYTE: Final = 1_000_000

TARGETS: Final = {
    target.name: target
    for target in (
        Target(
            name="linux/amd64",
            zig="x86_64-linux-gnu.2.17",
            triple="x86_64-linux-gnu",
            openssl="linux-x86_64",
            elf=(64, 62),
            interpreter="/lib64/ld-linux-x86-64.so.2",
            size_budget=14 * MEGABYTE,
        ),
        Target(
            name="linux/386",
            zig="x86-linux-gnu.2.17",
            triple="i686-linux-gnu",
            openssl="linux-elf",
            elf=(32, 3),
            interpreter="/lib/ld-linux.so.2",
            size_budget=16 * MEGABYTE,
            packages=("libc6:i386",),
            # zig's run-time library for 32-bit x86 has no __atomic_is_lock_free.
            openssl_flags=("CPPFLAGS=-DBROKEN_CLANG_ATOMICS",),
        ),
    )
}

BUILD_MACHINE: Final = TARGETS["linux/amd64"]
"""Where the build runs: its interpreter helps to build those of the other targets."""


def find(name: str) -> Target:
    """The target called ``name``; an empty name is this machine's own.

    Raises:
        BuildFailure: There is no such target, or this machine cannot build.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise BuildFailure(
            f"this machine is {sys.platform} on {platform.machine()}, files are built on 64-bit x86"
            " Linux",
            hint="build there: that makes the files of all targets",
        )
    if not name:
        return BUILD_MACHINE
    if name not in TARGETS:
        raise BuildFailure(f"unknown target {name!r}", hint=f"one of {', '.join(TARGETS)}")
    return TARGETS[name]
