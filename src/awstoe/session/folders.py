"""The folders of a run: the log folder and the state folder.

The folders of a new run are created after the whole request has been checked. If one of them cannot
be created, nothing is left behind.
"""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from awstoe.document.model import Document
from awstoe.errors import AwstoeError, HostError
from awstoe.host import machine
from awstoe.host.files.own_files import PRIVATE_FOLDER, explain, folder_chain, replace_file
from awstoe.reporting.console import Console
from awstoe.session.request import RunRequest
from awstoe.state import store as stores


class RunFolders(NamedTuple):
    """Where a run writes its logs and its state."""

    execution_id: str
    folder: str
    """The log folder, absolute."""
    shown_folder: str
    """The log folder as the logs name it."""
    store: stores.Store
    keep_state: bool
    """Whether the state is kept when the run has finished: only with ``--state-directory``."""
    state_chain: tuple[str, ...] = ()
    """The folders with new entries that lead to the state."""
    log_files: tuple[str, ...] = ()
    """What is needed of the log folder to resume the run, and the folders with new entries."""


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
    if request.state_directory is None:
        state = os.path.join(machine.state_root(), stores.safe_name(execution_id))
    else:
        state = os.path.abspath(request.state_directory)
    state_chain = tuple(folder_chain(state))
    store = stores.create(state)
    now = time.gmtime()
    stamp = time.strftime("TOE_%Y-%m-%d_%H-%M-%S_UTC-0_", now)
    shown = os.path.join(request.log_directory, stamp + stores.safe_name(execution_id))
    folder = os.path.abspath(shown)
    keep = request.state_directory is not None
    copies = (copy_path(folder, index, document) for index, document in enumerate(documents))
    folders = RunFolders(
        execution_id,
        folder,
        shown,
        store,
        keep_state=keep,
        state_chain=state_chain,
        log_files=(*copies, *folder_chain(folder)),
    )
    try:
        _make_log_folder(folder, documents)
    except AwstoeError:
        store.release()
        raise
    try:
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
                log_folder=folder,
                start_time=time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
            )
        )
    except AwstoeError:
        _remove_log_folder(folder)
        store.release()
        raise
    return folders


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


def _make_log_folder(folder: str, documents: Sequence[Document]) -> None:
    directory = os.path.dirname(folder)
    try:
        if not os.path.isdir(directory):
            os.makedirs(directory)
    except OSError as error:
        raise explain(error, f"create the log directory {directory}") from error
    try:
        os.mkdir(folder, PRIVATE_FOLDER)
    except FileExistsError as error:
        raise HostError(
            f"the log folder {folder} already exists: another run has the same execution ID",
            hint="give each run its own --execution-id, or omit the option",
        ) from error
    except OSError as error:
        raise explain(error, f"create the log folder {folder}") from error
    try:
        for index, document in enumerate(documents):
            replace_file(copy_path(folder, index, document), [document.data])
    except HostError:
        _remove_log_folder(folder)
        raise


def _remove_log_folder(folder: str) -> None:
    """Remove the log folder of a run that did not start."""
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def copy_path(folder: str, index: int, document: Document) -> str:
    """Return the path of the copy of document number ``index`` of the run."""
    return os.path.join(folder, f"D{index}__{os.path.basename(document.path)}")
