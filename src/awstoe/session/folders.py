"""The folders of a run: the log folder and the state folder.

The folders of a new run are created after the whole request has been checked. If one of them cannot
be created, nothing is left behind.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from awstoe.document.model import Document
from awstoe.errors import AwstoeError, HostError
from awstoe.host import machine
from awstoe.host.files.own_files import explain, folder_chain
from awstoe.host.files.own_folder import OwnFolder
from awstoe.reporting.console import Console
from awstoe.reporting.log_folder import LogFolder
from awstoe.session import state_folders
from awstoe.session.request import RunRequest
from awstoe.state import store as stores

_ANOTHER: Final = "set another directory with --log-directory"
_OTHER_NAMES: Final = 100


class RunFolders(NamedTuple):
    """Where a run writes its logs and its state."""

    execution_id: str
    logs: LogFolder
    shown_folder: str
    """The log folder as the logs name it."""
    store: stores.Store
    keep_state: bool
    """Whether the state is kept when the run has finished: only with ``--state-directory``."""
    log_above: tuple[str, ...] = ()
    """The folders that have new entries since the log folder was made."""
    warnings: tuple[str, ...] = ()
    """What the logs have to say about them."""


def real_paths(documents: Sequence[Document]) -> tuple[str, ...]:
    """Return the paths of documents without symbolic links."""
    return tuple(os.path.realpath(document.path) for document in documents)


def new_folders(request: RunRequest, documents: Sequence[Document], console: Console) -> RunFolders:
    """Create the folders of a new run.

    Raises:
        HostError: They cannot be created, or another run uses them.
    """
    check_working_folder()
    execution_id = request.execution_id or machine.HostMachine().execution_id()
    store = state_folders.create(request.state_directory, execution_id, console)
    now = time.gmtime()
    stamp = time.strftime("TOE_%Y-%m-%d_%H-%M-%S_UTC-0_", now)
    shown = os.path.join(request.log_directory, stamp + stores.safe_name(execution_id))
    keep = request.state_directory is not None
    above = tuple(folder_chain(os.path.abspath(shown))[1:])
    try:
        own = _make_log_folder(os.path.abspath(shown))
    except AwstoeError:
        store.release()
        raise
    logs = LogFolder(own, copies(documents))
    try:
        logs.write_copies()
        archive = store.archive_previous()
        if archive is not None:
            console.line(f"awstoe: warning: the state of an earlier run was moved to {archive}")
        store.write_manifest(
            stores.Manifest(
                execution_id=execution_id,
                documents=real_paths(documents),
                phases=request.phases,
                parameters=tuple(
                    tuple(sorted(requested.parameters.items())) for requested in request.documents
                ),
                log_folder=own.real_path,
                start_time=time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
                checksums=tuple(stores.checksum(document.data) for document in documents),
            )
        )
    except AwstoeError:
        _remove_log_folder(own)
        store.release()
        raise
    return RunFolders(execution_id, logs, shown, store, keep_state=keep, log_above=above)


def log_folder_of(
    manifest: stores.Manifest, documents: Sequence[Document], log_directory: str
) -> tuple[LogFolder, str]:
    """Return the log folder of a run to resume, and a warning if it had to be made again.

    Args:
        manifest: The manifest of the run.
        documents: Its documents.
        log_directory: Where the folder is made if it cannot be made in its place.

    Raises:
        HostError: It cannot be made again.
    """
    path = manifest.log_folder
    warning = ""
    try:
        own = OwnFolder.open(path)
    except OSError as error:
        own = _made_again_in(path, log_directory)
        reason = error.strerror
        if isinstance(error, FileNotFoundError):
            reason = "it was removed while the run was stopped"
        warning = (
            f"the log folder of the run, {path}, cannot be used ({reason}): the run continues with"
            f" new logs in {own.path}"
        )
    logs = LogFolder(own, copies(documents))
    logs.write_copies()
    return logs, warning


def _made_again_in(path: str, log_directory: str) -> OwnFolder:
    elsewhere = os.path.join(os.path.abspath(log_directory), os.path.basename(path))
    try:
        return _made_again(path)
    except HostError:
        if os.path.dirname(elsewhere) == os.path.dirname(path):
            raise
    return _made_again(elsewhere)


def _made_again(path: str) -> OwnFolder:
    for number in range(1, _OTHER_NAMES):
        try:
            return OwnFolder.make(f"{path}-{number}" if number > 1 else path)
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_made(f"make the log folder {path} of the run again", error) from error
    raise HostError(f"too many folders {path}-*", hint="remove them")


def check_working_folder() -> None:
    """Check that the working directory can be used: paths and programs depend on it.

    Raises:
        HostError: It cannot be used.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise HostError(
            f"the working directory cannot be used: {error.strerror}",
            hint="it may have been removed: change to a folder that exists",
        ) from error


def _make_log_folder(folder: str) -> OwnFolder:
    directory = os.path.dirname(folder)
    try:
        if not os.path.isdir(directory):
            os.makedirs(directory)
    except OSError as error:
        raise _not_made(f"create the log directory {directory}", error) from error
    try:
        return OwnFolder.make(folder, follow_links=True)
    except FileExistsError as error:
        raise HostError(
            f"the log folder {folder} already exists: another run has the same execution ID",
            hint="give each run its own --execution-id, or omit the option",
        ) from error
    except OSError as error:
        raise _not_made(f"create the log folder {folder}", error) from error


def _not_made(doing: str, error: OSError) -> HostError:
    found = explain(error, doing)
    hint = f"{found.hint}; --log-directory sets another one" if found.hint else _ANOTHER
    return HostError(found.message, hint=hint)


def _remove_log_folder(own: OwnFolder) -> None:
    """Remove the log folder of a run that did not start."""
    with suppress(OSError):
        for name in own.names():
            own.unlink(name)
    own.remove()


def copies(documents: Sequence[Document]) -> list[tuple[str, bytes]]:
    """Return the names and the bytes of the copies of documents in the log folder."""
    return [(copy_name(index, document), document.data) for index, document in enumerate(documents)]


def copy_name(index: int, document: Document) -> str:
    """Return the name of the copy of document number ``index`` of the run."""
    return f"D{index}__{os.path.basename(document.path)}"
