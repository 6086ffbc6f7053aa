"""Finds the unfinished run to resume, and its records."""

import os
from collections.abc import Sequence

from awstoe.document.model import Document
from awstoe.engine.events import RunFinished, from_entry
from awstoe.engine.records import Records
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host import machine
from awstoe.host.files.own_files import explain
from awstoe.host.reboot import rebooting
from awstoe.session.folders import RunFolders, check_working_folder, copy_path, real_paths
from awstoe.session.request import RunRequest
from awstoe.state import journal as journals
from awstoe.state import store as stores


def resumed_run(request: RunRequest, documents: Sequence[Document]) -> tuple[RunFolders, Records]:
    """The unfinished run to go on with, and its records.

    Raises:
        UsageError: There is none, several, or not of these documents.
        HostError: Its state cannot be read.
    """
    found = _unfinished(request, documents)
    manifest = stores.select_run(list(found.values()))
    folder = next(name for name, item in found.items() if item is manifest)
    _check_same(request, manifest)
    store = stores.open_existing(folder)
    records = _replayed(os.path.join(folder, stores.JOURNAL), request.stdout_limit)
    top = records.runs.get("")
    if top is not None and top.finished:
        # Another process went on with it while this one looked.
        stores.select_run([])
    keep = request.state_directory is not None
    place = RunFolders(
        manifest.execution_id, manifest.log_folder, manifest.log_folder, store, keep_state=keep
    )
    return place, records


def run_after_reboot(
    request: RunRequest, documents: Sequence[Document]
) -> tuple[RunFolders, Records] | None:
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
        if boot is not None and (rebooting.is_for_agent() or boot != rebooting.boot_id()):
            return resumed_run(request._replace(execution_id=manifest.execution_id), documents)
    return None


def _unfinished(request: RunRequest, documents: Sequence[Document]) -> dict[str, stores.Manifest]:
    """The unfinished runs of ``documents``, by their state folders.

    Raises:
        UsageError: There is one of documents that have changed.
        HostError: There is one whose log folder is gone, or that cannot be read.
    """
    check_working_folder()
    if request.state_directory is not None:
        folders = [os.path.abspath(request.state_directory)]
    else:
        folders = stores.candidates(machine.state_root())
    wanted = real_paths(documents)
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


def _fits(request: RunRequest, folder: str, manifest: stores.Manifest) -> bool:
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


def _check_same(request: RunRequest, manifest: stores.Manifest) -> None:
    given = tuple(tuple(sorted(asked.parameters.items())) for asked in request.documents)
    if given != manifest.parameters or request.phases != manifest.phases:
        raise UsageError(
            f"the run {manifest.execution_id} was started with other parameters or phases",
            hint="repeat the command that started it and add --resume",
        )
