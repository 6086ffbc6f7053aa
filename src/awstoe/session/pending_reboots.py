"""Which runs go on after a reboot of the machine: their program must not change until then."""

import os

from awstoe.engine.events import RebootAsked, RunFinished, RunResumed
from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.state import journal, store

_ENDS = frozenset({RunFinished.__name__, RunResumed.__name__})


def waiting_runs() -> tuple[str, ...]:
    """The ids of this user's runs that have asked for a reboot and not gone on since.

    A run whose state cannot be read is left out: it will not go on either.
    """
    found = []
    try:
        folders = store.candidates(machine.state_root())
    except HostError:
        return ()
    for folder in folders:
        try:
            manifest = store.read_manifest(folder)
            if manifest is not None and _waits(os.path.join(folder, store.JOURNAL)):
                found.append(manifest.execution_id)
        except HostError:
            continue
    return tuple(found)


def _waits(path: str) -> bool:
    waits = False
    for entry in journal.read(path) if os.path.exists(path) else ():
        if entry[0] == RebootAsked.__name__:
            waits = True
        elif entry[0] in _ENDS and entry[1] == "":
            waits = False
    return waits
