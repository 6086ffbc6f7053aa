"""Finds runs that resume after a reboot: their program must not change until then."""

import os

from awstoe.engine.events import waits_for_reboot
from awstoe.errors import HostError
from awstoe.session import state_folders
from awstoe.state import journal, store


def waiting_runs() -> tuple[str, ...]:
    """Return the execution IDs of this user's runs that wait for a reboot.

    Runs whose state cannot be read are left out: they cannot resume either.
    """
    found = []
    for folder in state_folders.candidates(None):
        try:
            manifest = store.read_manifest(folder)
            if manifest is not None and _waits(os.path.join(folder, store.JOURNAL)):
                found.append(manifest.execution_id)
        except HostError:
            continue
    return tuple(found)


def _waits(path: str) -> bool:
    return os.path.exists(path) and waits_for_reboot(journal.read(path))
