"""Where a run keeps what it writes: the log folder and the state folder, new or of a run to resume.

A new run's folders are made after everything that was asked for has been checked; if one of them
cannot be made, nothing is left behind.
"""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from awstoe.cli.console import Console
from awstoe.cli.request import Request
from awstoe.document.model import Document
from awstoe.engine.events import RunFinished, from_entry
from awstoe.engine.records import Records
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host import machine, reboot
from awstoe.host.files import PRIVATE_FOLDER, explain, replace_file
from awstoe.state import journal as journals
from awstoe.state import store as stores


class Place(NamedTuple):
    """Where a run keeps what it writes."""

    execution_id: str
    folder: str
    """The log folder, absolute."""
    shown_folder: str
    """The log folder as the logs name it."""
    store: stores.Store
    keep_state: bool
    """Whether the state stays when the run is over: it does where a folder was named for it."""


def _real_paths(documents: Sequence[Document]) -> tuple[str, ...]:
    return tuple(os.path.realpath(document.path) for document in documents)


def _unchanged(manifest: stores.Manifest, documents: Sequence[Document]) -> bool:
    """Whether the documents are still those of the run, whose log folder has their copies."""
    for index, document in enumerate(documents):
        try:
            with open(copy_path(manifest.log_folder, index, document), "rb") as file:
                if file.read() != document.data:
                    return False
        except OSError as error:
            raise explain(error, "read the copy of a document of the run to resume") from error
    return True


def new_place(request: Request, documents: Sequence[Document], console: Console) -> Place:
    """Make the folders of a new run.

    Raises:
        HostError: They cannot be made, or another run has them.
    """
    _check_working_folder()
    execution_id = request.execution_id or machine.HostMachine().execution_id()
    folder = state = None
    if request.state_directory is None:
        state = os.path.join(machine.state_root(), stores.safe_name(execution_id))
    else:
        state = os.path.abspath(request.state_directory)
    store = stores.create(state)
    now = time.gmtime()
    stamp = time.strftime("TOE_%Y-%m-%d_%H-%M-%S_UTC-0_", now)
    shown = os.path.join(request.log_directory, stamp + stores.safe_name(execution_id))
    folder = os.path.abspath(shown)
    keep = request.state_directory is not None
    place = Place(execution_id, folder, shown, store, keep_state=keep)
    try:
        _make_log_folder(folder, documents)
    except AwstoeError:
        store.release()
        raise
    try:
        aside = store.set_aside()
        if aside is not None:
            console.line(f"awstoe: warning: the state of an earlier run was moved to {aside}")
        store.write_manifest(
            stores.Manifest(
                execution_id=execution_id,
                documents=_real_paths(documents),
                phases=request.phases,
                parameters=tuple(
                    tuple(sorted(asked.parameters.items())) for asked in request.documents
                ),
                log_folder=folder,
                start_time=time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
            )
        )
    except AwstoeError:
        _remove_log_folder(folder)
        store.release()
        raise
    return place


def _check_working_folder() -> None:
    """Relative paths count from it, and programs start in it."""
    try:
        os.getcwd()
    except OSError as error:
        raise HostError(
            f"the working directory cannot be used: {error.strerror}",
            hint="it may have been removed: change into a folder that is there",
        ) from error


def _make_log_folder(folder: str, documents: Sequence[Document]) -> None:
    directory = os.path.dirname(folder)
    try:
        if not os.path.isdir(directory):
            os.makedirs(directory)
    except OSError as error:
        raise explain(error, f"make the log directory {directory}") from error
    try:
        os.mkdir(folder, PRIVATE_FOLDER)
    except FileExistsError as error:
        raise HostError(
            f"the log folder {folder} is there already: another run has the same execution id",
            hint="give each run an --execution-id of its own, or none",
        ) from error
    except OSError as error:
        raise explain(error, f"make the log folder {folder}") from error
    try:
        for index, document in enumerate(documents):
            replace_file(copy_path(folder, index, document), [document.data])
    except HostError:
        _remove_log_folder(folder)
        raise


def _remove_log_folder(folder: str) -> None:
    """Remove the log folder of a run that did not begin."""
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def copy_path(folder: str, index: int, document: Document) -> str:
    """Where the copy of the run's document number ``index`` lies."""
    return os.path.join(folder, f"D{index}__{os.path.basename(document.path)}")


def resumed_place(request: Request, documents: Sequence[Document]) -> tuple[Place, Records]:
    """The unfinished run to go on with, and its records.

    Raises:
        UsageError: There is none, several, or not of these documents.
        HostError: Its state cannot be read.
    """
    found = _unfinished(request, documents)
    manifest = stores.choose(list(found.values()))
    folder = next(name for name, item in found.items() if item is manifest)
    _check_same(request, manifest)
    store = stores.open_existing(folder)
    records = _replayed(os.path.join(folder, stores.JOURNAL), request.stdout_limit)
    top = records.runs.get("")
    if top is not None and top.finished:
        # Another process went on with it while this one looked.
        stores.choose([])
    keep = request.state_directory is not None
    place = Place(
        manifest.execution_id, manifest.log_folder, manifest.log_folder, store, keep_state=keep
    )
    return place, records


def place_after_reboot(
    request: Request, documents: Sequence[Document]
) -> tuple[Place, Records] | None:
    """The run of these documents that waits for the reboot that has happened; None without one.

    Whoever reboots the machine for awstoe repeats the command as it was, without ``--resume``.

    Raises:
        AwstoeError: The state cannot be read.
    """
    if request.state_directory is None and not stores.candidates(machine.state_root()):
        return None
    try:
        found = _unfinished(request, documents)
    except AwstoeError:
        return None  # it is for --resume to say why not
    for folder, manifest in found.items():
        try:
            _check_same(request, manifest)
        except UsageError:
            continue
        boot = _replayed(os.path.join(folder, stores.JOURNAL), request.stdout_limit).boot
        if boot is not None and (reboot.is_for_agent() or boot != reboot.boot_id()):
            return resumed_place(request._replace(execution_id=manifest.execution_id), documents)
    return None


def _unfinished(request: Request, documents: Sequence[Document]) -> dict[str, stores.Manifest]:
    """The unfinished runs of ``documents``, by their state folders.

    Raises:
        UsageError: There is one of documents that have changed.
        HostError: There is one whose log folder is gone, or that cannot be read.
    """
    _check_working_folder()
    if request.state_directory is not None:
        folders = [os.path.abspath(request.state_directory)]
    else:
        folders = stores.candidates(machine.state_root())
    wanted = _real_paths(documents)
    why_not: AwstoeError | None = None
    found: dict[str, stores.Manifest] = {}
    for folder in folders:
        try:
            manifest = stores.read_manifest(folder)
        except HostError as error:
            why_not = why_not or error
            continue
        if manifest is None or manifest.documents != wanted or not _fits(request, folder, manifest):
            continue
        if not os.path.isdir(manifest.log_folder):
            why_not = HostError(
                f"the log folder of the run is gone: {manifest.log_folder}",
                hint="leave --resume out to start a new run",
            )
        elif _unchanged(manifest, documents):
            found[folder] = manifest
        else:
            why_not = UsageError(
                "the documents have changed since the run that was to be resumed",
                hint="leave --resume out to start a new run",
            )
    if not found and why_not is not None:
        raise why_not
    return found


def _fits(request: Request, folder: str, manifest: stores.Manifest) -> bool:
    """Whether the run in ``folder`` is unfinished, and the one asked for if one was.

    Raises:
        HostError: The journal of the run asked for is damaged.
    """
    if request.execution_id not in (None, manifest.execution_id):
        return False
    try:
        return not _finished(folder)
    except HostError:
        if request.state_directory is not None or request.execution_id is not None:
            raise
        return False  # a damaged journal is no reason not to find the others


def _replayed(path: str, stdout_limit: int) -> Records:
    """The records that the journal at ``path`` tells of.

    Raises:
        HostError: It cannot be read.
    """
    records = Records(stdout_limit)
    try:
        for entry in journals.read(path) if os.path.exists(path) else ():
            records.apply(from_entry(entry))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise HostError(
            f"{path}: this version of awstoe cannot read the run's journal ({error})",
            hint="start the run anew without --resume",
        ) from error
    return records


def _finished(folder: str) -> bool:
    path = os.path.join(folder, stores.JOURNAL)
    if not os.path.exists(path):
        return False
    return any(entry[0] == RunFinished.__name__ and entry[1] == "" for entry in journals.read(path))


def _check_same(request: Request, manifest: stores.Manifest) -> None:
    given = tuple(tuple(sorted(asked.parameters.items())) for asked in request.documents)
    if given != manifest.parameters or request.phases != manifest.phases:
        raise UsageError(
            f"the run {manifest.execution_id} was started with other parameters or phases",
            hint="repeat the command that started it and add --resume",
        )
