"""Finds the unfinished run to resume, and reads its records."""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from awstoe.document.model import Document
from awstoe.engine.events import from_entry, has_finished, reboot_request
from awstoe.engine.records import Records
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host.reboot import rebooting
from awstoe.session import state_folders
from awstoe.session.folders import RunFolders, check_working_folder, log_folder_of, real_paths
from awstoe.session.request import RunRequest
from awstoe.state import journal as journals
from awstoe.state import store as stores


class SavedRun(NamedTuple):
    """A run as its state folder has it."""

    folder: str
    manifest: stores.Manifest
    records: Records | HostError
    """Or why this version of awstoe cannot replay the journal."""
    finished: bool
    journal_size: int
    """In bytes, before the journal was read. A journal of this size still has the same content."""


def resumed_run(request: RunRequest, documents: Sequence[Document]) -> tuple[RunFolders, Records]:
    """Return the folders and the records of the unfinished run to resume.

    Raises:
        UsageError: There is no such run, there are several, or it has other documents.
        HostError: Its state cannot be read.
    """
    runs = _unfinished(request, documents)
    manifest = stores.select_run([run.manifest for run in runs])
    run = next(run for run in runs if run.manifest is manifest)
    _check_same(request, manifest)
    return _take(request, run, documents)


def run_after_reboot(
    request: RunRequest, documents: Sequence[Document]
) -> tuple[RunFolders, Records] | None:
    """Return the run of these documents that waited for a reboot which has happened, if any.

    An agent that reboots the machine for awstoe repeats the command as it was, without
    ``--resume``.

    A run that cannot resume, because its state cannot be read, does not keep a new one from
    starting, unless it waited for such a reboot: then its finished steps would run again.

    Raises:
        UsageError: The run has finished in the meantime, or a folder or a pattern has other
            documents than when the run started.
        HostError: This version of awstoe cannot replay the journal of the run, or another process
            is using it.
    """
    if request.state_directory is None and not state_folders.candidates(None):
        return None
    try:
        runs = _unfinished(request, documents)
    except AwstoeError:
        return None  # only --resume reports why not
    for run in runs:
        try:
            _check_same(request, run.manifest)
        except UsageError:
            continue
        if _has_rebooted(run):
            return _take(request, run, documents)
    if request.expanded:
        _reject_other_documents(request, documents)
    return None


def _reject_other_documents(request: RunRequest, documents: Sequence[Document]) -> None:
    """Reject a new run of some documents of a run that waited for a reboot which has happened.

    A step may have added documents to a folder. A new run would reboot again, and again.

    Raises:
        UsageError: There is such a run.
    """
    wanted = set(real_paths(documents))
    for folder in state_folders.candidates(request.state_directory):
        try:
            manifest = stores.read_manifest(folder)
            if manifest is None or wanted.isdisjoint(manifest.documents):
                continue
            run = _read(folder, manifest, request.stdout_limit)
        except HostError:
            continue  # it was reported when it was looked for
        if not run.finished and _has_rebooted(run):
            raise UsageError(
                f"the run {manifest.execution_id} waited for this reboot, but its documents are not"
                f" those of the folder or pattern any more: {', '.join(manifest.documents)}",
                hint="name the documents of that run to resume it, or remove its state to start a"
                f" new one: {folder}",
            )


def _has_rebooted(run: SavedRun) -> bool:
    """Whether ``run`` waited for a reboot that has happened."""
    if isinstance(run.records, Records):
        boot = run.records.boot
        return boot is not None and (rebooting.is_for_agent() or boot != rebooting.boot_id())
    request = reboot_request(_entries(run.folder))
    # Where another version keeps the boot in its entry is unknown.
    return request is not None and (rebooting.is_for_agent() or rebooting.boot_id() not in request)


def _take(
    request: RunRequest, run: SavedRun, documents: Sequence[Document]
) -> tuple[RunFolders, Records]:
    """Lock the state folder of ``run``. Return the folders and the records of the run.

    Raises:
        UsageError: The run has finished in the meantime.
        HostError: Another process is using the state folder, the journal cannot be replayed, or the
            log folder cannot be made again.
    """
    store = stores.open_existing(run.folder)
    if _journal_size(run.folder) != run.journal_size:
        # Another process continued the run before this one had the lock.
        run = _read(run.folder, run.manifest, request.stdout_limit)
    if run.finished:
        raise stores.nothing_to_resume()
    if isinstance(run.records, HostError):
        raise run.records
    store.is_lasting = not state_folders.is_temporary(run.folder)
    logs, warning = log_folder_of(run.manifest, documents, request.log_directory)
    if warning:
        store.write_manifest(run.manifest._replace(log_folder=logs.path))
    keep = request.state_directory is not None
    warnings = (warning,) if warning else ()
    folders = RunFolders(
        run.manifest.execution_id, logs, logs.path, store, keep_state=keep, warnings=warnings
    )
    return folders, run.records


def _unfinished(request: RunRequest, documents: Sequence[Document]) -> list[SavedRun]:
    """Return the unfinished runs of ``documents`` that the request can mean.

    A journal that this version cannot replay does not exclude a run: the user may mean it, and only
    the other version can tell what it has done.

    Raises:
        UsageError: The only such run has documents that have changed.
        HostError: The state of the only such run cannot be read.
    """
    check_working_folder()
    folders = state_folders.candidates(request.state_directory)
    wanted = real_paths(documents)
    why_not: AwstoeError | None = None
    found = []
    for folder in folders:
        try:
            manifest = stores.read_manifest(folder)
        except HostError as error:
            why_not = why_not or error
            continue
        if manifest is None or manifest.documents != wanted:
            continue
        if request.execution_id not in (None, manifest.execution_id):
            continue
        try:
            run = _unfinished_run(request, folder, manifest, documents)
        except AwstoeError as error:
            why_not = error
            continue
        if run is not None:
            found.append(run)
    if not found and why_not is not None:
        raise why_not
    return found


def _unfinished_run(
    request: RunRequest, folder: str, manifest: stores.Manifest, documents: Sequence[Document]
) -> SavedRun | None:
    """Return the run in ``folder``, or None if it has finished.

    Raises:
        AwstoeError: It cannot be resumed.
    """
    try:
        run = _read(folder, manifest, request.stdout_limit)
    except HostError:
        if request.state_directory is not None or request.execution_id is not None:
            raise
        return None  # a damaged journal must not hide the other runs
    if run.finished:
        return None
    if manifest.checksums != tuple(stores.checksum(document.data) for document in documents):
        raise UsageError(
            "the documents have changed since the run that was to be resumed",
            hint="omit --resume to start a new run",
        )
    return run


def _read(folder: str, manifest: stores.Manifest, stdout_limit: int) -> SavedRun:
    """Read the journal in ``folder``.

    Raises:
        HostError: It cannot be read, or is damaged.
    """
    size = _journal_size(folder)
    records = Records(stdout_limit)
    try:
        for entry in _entries(folder):
            records.apply(from_entry(entry))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        unreplayable = HostError(
            f"{_journal_path(folder)}: this version of awstoe cannot read the run's journal"
            f" ({error})",
            hint="use the version of awstoe that started the run, or remove"
            f" {folder} and start a new run",
        )
        return SavedRun(folder, manifest, unreplayable, has_finished(_entries(folder)), size)
    top = records.runs.get("")
    return SavedRun(folder, manifest, records, top is not None and top.finished, size)


def _entries(folder: str) -> Iterable[list[object]]:
    path = _journal_path(folder)
    return journals.read(path) if os.path.exists(path) else ()


def _journal_path(folder: str) -> str:
    return os.path.join(folder, stores.JOURNAL)


def _journal_size(folder: str) -> int:
    try:
        return os.path.getsize(_journal_path(folder))
    except OSError:
        return 0


def _check_same(request: RunRequest, manifest: stores.Manifest) -> None:
    given = tuple(tuple(sorted(requested.parameters.items())) for requested in request.documents)
    if given != manifest.parameters or request.phases != manifest.phases:
        raise UsageError(
            f"the run {manifest.execution_id} was started with other parameters or phases",
            hint="repeat the command that started it and add --resume",
        )
