"""Linux: finds the single-file executables that a step runs: a bootloader and its program.

The bootloader removes what it unpacked after its program has ended. If both are killed at once,
the unpack folder stays until a later start removes it.
"""

import sys
from collections.abc import Iterable
from typing import Final

from awstoe.host.process.linux import process_table

assert sys.platform == "linux"

_VARIABLE: Final = b"_PYI_AWSTOE_PARENT="
"""In the program's environment: the bootloader's ID (the build's ``bootloader_additions.h``)."""


def bootloaders(processes: Iterable[process_table.Process]) -> list[process_table.Process]:
    """Return those processes that are the bootloader of another one of them."""
    by_pid = {process.pid: process for process in processes}
    return [
        parent
        for process in by_pid.values()
        if (parent := by_pid.get(process.parent))
        and parent.name == process.name  # saves reading most environments
        and _bootloader(process.pid) == parent.pid
    ]


def _bootloader(program: int) -> int | None:
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
