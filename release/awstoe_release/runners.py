"""Finds out which targets' programs run on this machine, and how."""

import os
import platform
from collections.abc import Sequence
from typing import Final

from awstoe_build import prerequisites, targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_release import commands

WINDOWS: Final = targets.TARGETS["windows/amd64"]

_NATIVE: Final = {"x86_64": ("linux/amd64", "linux/386"), "aarch64": ("linux/arm64",)}
_EMULATORS: Final = {"linux/arm64": "qemu-aarch64-static", "linux/386": "qemu-i386-static"}
_KERNEL_KNOWS: Final = "/proc/sys/fs/binfmt_misc/"


def own_target() -> str:
    """Return the target whose programs are for this machine; empty if there is none."""
    return _NATIVE.get(platform.machine(), ("",))[0]


def emulator(target: str) -> Sequence[str]:
    """Return the emulator of a Linux target's programs; empty if this machine runs them itself."""
    return () if target in _NATIVE.get(platform.machine(), ()) else (_EMULATORS[target],)


def lacking(target: str) -> str:
    """Return why a target's program cannot run here; empty if it can."""
    if target != WINDOWS.name:
        needed = emulator(target)
        return (
            ""
            if all(map(commands.is_installed, needed))
            else "cannot run here: qemu is not installed"
        )
    if lacking_wine := _lacking_wine():
        return f"cannot run here: {lacking_wine}"
    if Cache(cache_folder(), print).missing([windows_runtime.recipe(WINDOWS)]):
        return f"cannot run here: run make toolchain TARGET={target}"
    return ""


def untestable(target: str) -> str:
    """Return why the black-box tests of a target cannot run here; empty if they can.

    The tests start the program by its path, and it starts itself again, so the emulator must be
    registered with the kernel.
    """
    if target == WINDOWS.name:
        return _lacking_wine()
    known = (_KERNEL_KNOWS + each.removesuffix("-static") for each in emulator(target))
    return "" if all(map(os.path.exists, known)) else "qemu is not registered in binfmt_misc"


def _lacking_wine() -> str:
    """Return what this machine lacks to run Windows programs; empty if nothing."""
    packages = prerequisites.missing_packages([WINDOWS], building=False)
    return f"missing: {', '.join(sorted(packages))}" if packages else ""
