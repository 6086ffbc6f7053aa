"""Which runs go on after a reboot of the machine: their program must not change until then."""

import os

from awstoe.engine.events import waits_for_reboot
from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.state import journal, store


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
    return os.path.exists(path) and waits_for_reboot(journal.read(path))
