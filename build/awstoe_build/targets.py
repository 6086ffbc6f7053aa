"""The targets, and all differences between them, as data. Every recipe is a function of one."""

import platform
import sys
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure

Glibc = tuple[int, int]

GLIBC_FLOOR: Final[Glibc] = (2, 17)
"""The newest glibc that executables may require: RHEL 7's, which all Linux systems in use have."""


class System(StrEnum):
    """The operating system of a target. Each has modules of its own where recipes differ."""

    LINUX = "linux"
    WINDOWS = "windows"


class Target(NamedTuple):
    """One kind of machine that an executable is built for."""

    name: str
    """The name in ``dist/`` and for ``TARGET=``."""
    zig: str
    """zig's name, with processor, system and the version of the C library."""
    triple: str
    """autoconf's name."""
    openssl: str
    """OpenSSL's name, the argument of its Configure."""
    elf: tuple[int, int]
    """Class (32 or 64) and machine number in the header of its ELF files."""
    interpreter: str
    """The file that a machine needs to run its programs: their dynamic loader, or Wine."""
    size_budget: int
    """The limit for the size of the executable, in bytes."""
    to_build: tuple[tuple[str, str], ...] = ()
    """What its toolchain needs in addition to that of the build machine's target: a program or
    file, and the Debian package that contains it."""
    to_freeze: tuple[tuple[str, str], ...] = ()
    """What freezing needs in addition."""
    openssl_flags: tuple[str, ...] = ()
    system: System = System.LINUX
    program: str = "awstoe"
    """The name of the executable."""
    emulator: tuple[str, ...] = ()
    """The command that runs its programs on the build machine, if that cannot run them itself."""
    binutils: str = ""
    """The prefix of the names of strip and objcopy for its files."""
    rust: str = ""
    """Rust's name."""
    debian: str = ""
    """Debian's name of the architecture."""

    @property
    def compiled_for(self) -> str:
        """Everything about the target that compilers and configure scripts receive.

        It is part of the keys of all compiled layers. The fields are named, so that adding, moving
        or changing other fields does not rebuild anything.
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
            # Called explicitly, so that it does not have to be registered with the kernel.
            emulator=("qemu-aarch64-static",),
            binutils="aarch64-linux-gnu-",
            rust="aarch64-unknown-linux-gnu",
            debian="arm64",
        ),
        # Its libraries come with python.org's binaries, so the fields for ELF files are empty.
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
"""The target of a Linux build machine. Its interpreter is used to build those of other targets."""
_OWN: Final = {System.LINUX: BUILD_MACHINE, System.WINDOWS: TARGETS["windows/amd64"]}
"""The build machine's own target, by its system."""


def here() -> System:
    """Return the system of this machine.

    Raises:
        BuildFailure: This machine cannot build.
    """
    match sys.platform, platform.machine().lower():
        case "linux", "x86_64":
            return System.LINUX
        case "win32", "amd64":
            return System.WINDOWS
    raise BuildFailure(
        f"this machine is {sys.platform} on {platform.machine()}; builds run on 64-bit x86 Linux,"
        " and those for windows/amd64 also on 64-bit x86 Windows",
        hint="build on 64-bit x86 Linux, which builds all targets",
    )


def find(name: str) -> Target:
    """Return the target called ``name``; an empty name is this machine's own target.

    Raises:
        BuildFailure: The target does not exist, or this machine cannot build it.
    """
    own = _OWN[here()]
    if not name:
        return own
    if name not in TARGETS:
        raise BuildFailure(f"unknown target {name!r}", hint=f"use one of {', '.join(TARGETS)}")
    if own.system == System.WINDOWS and name != own.name:
        raise BuildFailure(
            f"{name} can only be built on 64-bit x86 Linux; this machine runs Windows",
            hint=f"build {own.name} on this machine, or all targets on Linux",
        )
    return TARGETS[name]
