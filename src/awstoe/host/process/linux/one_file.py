"""Linux: recognises the single files that a step runs: a boot loader and its program.

The boot loader removes what it has unpacked when its program has ended. If both were killed at
once, nobody would.
"""

import sys
from collections.abc import Iterable
from typing import Final

from awstoe.host.process.linux import process_table as tree

assert sys.platform == "linux"

_VARIABLE: Final = b"_PYI_AWSTOE_PARENT="
"""In the program's environment: who its boot loader is (the build's ``bootloader_additions.h``)."""


def bootloaders(processes: Iterable[tree.Process]) -> list[tree.Process]:
    """Those of some processes that are the boot loader of another one of them."""
    by_pid = {process.pid: process for process in processes}
    return [
        parent
        for process in by_pid.values()
        if (parent := by_pid.get(process.parent))
        and parent.name == process.name  # reading less than everybody's environment
        and _boot_loader(process.pid) == parent.pid
    ]


def _boot_loader(program: int) -> int | None:
    try:
        with open(f"/proc/{program}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return None
    for variable in variables:
        if variable.startswith(_VARIABLE):
            value = variable.removeprefix(_VARIABLE)
            return int(value) if value.isdigit() else None
    return None
