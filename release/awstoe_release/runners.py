"""Which targets' programs run on this machine, and by what."""

import os
import platform
from collections.abc import Sequence
from typing import Final

from awstoe_build import prerequisites, targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_release import programs

WINDOWS: Final = targets.TARGETS["windows/amd64"]

_NATIVE: Final = {"x86_64": ("linux/amd64", "linux/386"), "aarch64": ("linux/arm64",)}
_EMULATORS: Final = {"linux/arm64": "qemu-aarch64-static", "linux/386": "qemu-i386-static"}
_KERNEL_KNOWS: Final = "/proc/sys/fs/binfmt_misc/"


def own_target() -> str:
    """The target whose programs are for this machine; empty when there is none."""
    return _NATIVE.get(platform.machine(), ("",))[0]


def emulator(target: str) -> Sequence[str]:
    """What is put before the name of a Linux target's program; nothing for this machine's."""
    return () if target in _NATIVE.get(platform.machine(), ()) else (_EMULATORS[target],)


def lacking(target: str) -> str:
    """Why a target's program cannot run here; empty when it can."""
    if target != WINDOWS.name:
        needed = emulator(target)
        return "" if all(map(programs.is_there, needed)) else "cannot run here: no qemu"
    if lacking_wine := _lacking_wine():
        return f"cannot run here: {lacking_wine}"
    if Cache(cache_folder(), print).missing([windows_runtime.recipe(WINDOWS)]):
        return f"cannot run here: make toolchain TARGET={target}"
    return ""


def untestable(target: str) -> str:
    """Why the black-box tests of a target cannot run here; empty when they can.

    They start programs, which start themselves, by name: the kernel has to know the emulator.
    """
    if target == WINDOWS.name:
        return _lacking_wine()
    known = (_KERNEL_KNOWS + each.removesuffix("-static") for each in emulator(target))
    return "" if all(map(os.path.exists, known)) else "the kernel does not know qemu"


def _lacking_wine() -> str:
    """What this machine lacks to run Windows programs; empty if nothing."""
    packages = prerequisites.missing_packages([WINDOWS], building=False)
    return f"missing: {', '.join(sorted(packages))}" if packages else ""
