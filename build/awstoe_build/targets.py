"""The targets: what differs between them, as data. All recipes are functions of one of these."""

import platform
import sys
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure

Glibc = tuple[int, int]

GLIBC_FLOOR: Final[Glibc] = (2, 17)
"""What the files may ask of the C library at most: RHEL 7's, which every Linux we know of has."""


class System(StrEnum):
    """What a target's machine runs; each has its own modules where recipes differ."""

    LINUX = "linux"
    WINDOWS = "windows"


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
    """The dynamic loader of its programs, or what else a machine has to have to run them."""
    size_budget: int
    """What the finished file may weigh, in bytes."""
    to_build: tuple[tuple[str, str], ...] = ()
    """What building its toolchain needs besides the native target's: a program or file, and the
    Debian package that it comes with."""
    to_freeze: tuple[tuple[str, str], ...] = ()
    """What making the file needs besides."""
    openssl_flags: tuple[str, ...] = ()
    system: System = System.LINUX
    program: str = "awstoe"
    """The name of the finished file."""
    emulator: tuple[str, ...] = ()
    """What runs its programs on the build machine, which cannot do it itself."""
    binutils: str = ""
    """How the names of strip and objcopy for its files begin."""
    rust: str = ""
    """Rust's name."""
    debian: str = ""
    """Debian's name of the architecture."""

    @property
    def compiled_for(self) -> str:
        """Everything about the target that compilers and configure scripts receive.

        It is part of the keys of all compiled layers, by name: a field of another kind that is
        added, moved or changed rebuilds nothing.
        """
        names = ("name", "zig", "triple", "openssl", "elf")
        return " ".join(f"{name}={getattr(self, name)}" for name in names)


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
            rust="x86_64-unknown-linux-gnu",
            debian="amd64",
        ),
        Target(
            name="linux/386",
            zig="x86-linux-gnu.2.17",
            triple="i686-linux-gnu",
            openssl="linux-elf",
            elf=(32, 3),
            interpreter="/lib/ld-linux.so.2",
            size_budget=16 * MEGABYTE,
            to_build=(("/lib/ld-linux.so.2", "libc6:i386"),),
            # zig's run-time library for 32-bit x86 has no __atomic_is_lock_free.
            openssl_flags=("CPPFLAGS=-DBROKEN_CLANG_ATOMICS",),
            rust="i686-unknown-linux-gnu",
            debian="i386",
        ),
        Target(
            name="linux/arm64",
            zig="aarch64-linux-gnu.2.17",
            triple="aarch64-linux-gnu",
            openssl="linux-aarch64",
            elf=(64, 183),
            interpreter="/lib/ld-linux-aarch64.so.1",
            size_budget=16 * MEGABYTE,
            to_build=(
                ("/lib/ld-linux-aarch64.so.1", "libc6:arm64"),
                ("qemu-aarch64-static", "qemu-user-static"),
            ),
            to_freeze=(
                ("aarch64-linux-gnu-strip", "binutils-aarch64-linux-gnu"),
                ("aarch64-linux-gnu-objcopy", "binutils-aarch64-linux-gnu"),
            ),
            # Called by name, so that nothing has to be registered with the machine's kernel.
            emulator=("qemu-aarch64-static",),
            binutils="aarch64-linux-gnu-",
            rust="aarch64-unknown-linux-gnu",
            debian="arm64",
        ),
        # Its libraries come with python.org's binaries: what describes ELF files stays empty.
        Target(
            name="windows/amd64",
            zig="x86_64-windows-gnu",
            triple="",
            openssl="",
            elf=(0, 0),
            interpreter="/usr/bin/wine",
            size_budget=18 * MEGABYTE,
            system=System.WINDOWS,
            program="awstoe.exe",
        ),
    )
}

BUILD_MACHINE: Final = TARGETS["linux/amd64"]
"""Where a build on Linux runs: its interpreter helps to build those of the other targets."""
_OWN: Final = {System.LINUX: BUILD_MACHINE, System.WINDOWS: TARGETS["windows/amd64"]}
"""What a machine that builds is itself."""


def here() -> System:
    """The system of this machine.

    Raises:
        BuildFailure: It cannot build.
    """
    match sys.platform, platform.machine().lower():
        case "linux", "x86_64":
            return System.LINUX
        case "win32", "amd64":
            return System.WINDOWS
    raise BuildFailure(
        f"this machine is {sys.platform} on {platform.machine()}, files are built on 64-bit x86"
        " Linux, and that for Windows on 64-bit x86 Windows too",
        hint="build on 64-bit x86 Linux: that makes the files of all targets",
    )


def find(name: str) -> Target:
    """The target called ``name``; an empty name is this machine's own.

    Raises:
        BuildFailure: There is no such target, or this machine cannot build it.
    """
    own = _OWN[here()]
    if not name:
        return own
    if name not in TARGETS:
        raise BuildFailure(f"unknown target {name!r}", hint=f"one of {', '.join(TARGETS)}")
    if own.system == System.WINDOWS and name != own.name:
        raise BuildFailure(
            f"{name} is built on 64-bit x86 Linux, this machine runs Windows",
            hint=f"here, build {own.name}; on Linux one command makes the files of all targets",
        )
    return TARGETS[name]
