"""Finds the state folders of runs, and makes the one of a new run.

Without ``--state-directory`` they are in the state folder of the user. A user without one (no home
folder, or a read-only disk) gets a folder below the temporary folder. That one is not expected to
survive a reboot.
"""

import os

from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.host.files import temporary
from awstoe.host.files.own_folder import OwnFolder
from awstoe.reporting.console import Console
from awstoe.state import store as stores


def create(given: str | None, execution_id: str, console: Console) -> stores.Store:
    """Make and lock the state folder of a new run.

    Args:
        given: The folder of ``--state-directory``.
        execution_id: The execution ID of the run.
        console: Where the warning about a temporary folder goes.

    Raises:
        HostError: It cannot be made, or another run uses it.
    """
    if given is not None:
        return stores.create(os.path.abspath(given))
    name = stores.safe_name(execution_id)
    try:
        return stores.create(os.path.join(machine.state_root(), name))
    except stores.InUseError:
        raise
    except HostError as error:
        found = _temporary(name, error)
        console.line(
            f"awstoe: warning: {error.message}: the state is kept in {found.folder}, so the run"
            " cannot resume after a reboot (--state-directory sets a lasting folder)"
        )
        return found


def _temporary(name: str, reason: HostError) -> stores.Store:
    root = temporary.private_root()
    try:
        try:
            OwnFolder.make(root).close()
        except FileExistsError:
            OwnFolder.open(root).close()
        store = stores.create(os.path.join(root, name))
    except stores.InUseError:
        raise
    except (OSError, HostError) as error:
        why = error.message if isinstance(error, HostError) else f"{root}: {error.strerror}"
        raise HostError(f"{reason.message}; nor is {why}", hint=stores.ANOTHER_FOLDER) from error
    store.is_lasting = False
    return store


def candidates(given: str | None) -> list[str]:
    """Return the state folders of runs that may be unfinished.

    Args:
        given: The folder of ``--state-directory``.
    """
    if given is not None:
        return [os.path.abspath(given)]
    roots = []
    try:
        roots.append(machine.state_root())
    except HostError:
        pass
    root = temporary.private_root()
    if os.path.isdir(root):
        roots.append(root)
    return [folder for root in roots for folder in stores.candidates(root)]


def is_temporary(folder: str) -> bool:
    """Whether a state folder is below the temporary folder for states."""
    return os.path.dirname(folder) == temporary.private_root()
