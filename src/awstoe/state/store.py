"""The state folders of runs, each with a manifest, a journal and a lock.

Default: ``/var/lib/awstoe/state/<executionId>/`` for root, ``$XDG_STATE_HOME/awstoe/state/...`` for
other users; ``--state-directory`` names the folder itself. The state of another run in the folder
is never resumed silently: a new run moves it to a ``previous-*`` folder.
"""

import binascii
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from awstoe import limits
from awstoe.errors import HostError, UsageError
from awstoe.host.files.own_files import explain, folder_chain, sync_path
from awstoe.host.files.own_folder import OwnFolder
from awstoe.state.journal import Journal
from awstoe.state.syncing import Sync

MANIFEST = "run.json"
JOURNAL = "journal.jsonl"
_LOCK = "lock"
_FILES = (MANIFEST, JOURNAL, _LOCK)
_VERSION = 2

ANOTHER_FOLDER = "set another folder with --state-directory"
"""The hint for a state folder that cannot be used."""


class Manifest(NamedTuple):
    """The facts of a run that do not change while it runs."""

    execution_id: str
    documents: tuple[str, ...]
    """Their real paths; the log folder has copies of them."""
    phases: tuple[str, ...]
    parameters: tuple[tuple[tuple[str, str], ...], ...]
    """For each document, the parameter values that were given."""
    log_folder: str
    start_time: str
    checksums: tuple[int, ...]
    """Of the documents; see ``checksum``."""


def checksum(data: bytes) -> int:
    """Return what tells whether a document has changed since the run started.

    It is against mistakes: those who can change documents need no trick to run something else.
    """
    return binascii.crc32(data, len(data))


def safe_name(execution_id: str) -> str:
    """Return ``execution_id`` as one part of a path: an ID may contain a slash."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in execution_id)
    return "_" * max(len(name), 1) if name.strip(".") == "" else name


class InUseError(HostError):
    """Another process is using the state folder."""


class Store:
    """The locked state folder of one run.

    Args:
        folder: The folder.
        lock: The descriptor of its lock.
        above: The folders that have new entries since the folder was made.

    Attributes:
        is_lasting: Whether the folder is expected to survive a reboot.
    """

    def __init__(self, folder: OwnFolder, lock: int, above: Sequence[str] = ()) -> None:
        self._own = folder
        self._above = above
        self._lock = lock
        self._manifest = b""
        self.is_lasting = True

    @property
    def folder(self) -> str:
        """The path of the folder."""
        return self._own.path

    def open_journal(self, related: Sequence[Sync] = ()) -> Journal:
        """Open the run's journal. Its first ``flush`` waits until the manifest is on the disk.

        Args:
            related: Syncs what else the run needs to be resumed.

        Raises:
            HostError: It cannot be opened.
        """
        above = [partial(sync_path, path) for path in self._above]
        base: tuple[Sync, ...] = (partial(self._own.sync_file, MANIFEST), self._own.sync, *above)
        return Journal(self._own, JOURNAL, base, related)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest. From then on the run can be resumed.

        Raises:
            HostError: It cannot be written.
        """
        data = json.dumps({"version": _VERSION, **manifest._asdict()}, indent=1)
        self._manifest = data.encode()
        self._own.replace(MANIFEST, [self._manifest])

    # --- a step that removes the folder ----------------------------------------------------------

    def is_in_place(self) -> bool:
        """Whether the path of the folder still leads to it."""
        return self._own.is_in_place()

    def is_intact(self, journal: Journal) -> bool:
        """Whether the folder is in its place, and has all its files."""
        has_manifest = self._own.has_size(MANIFEST, len(self._manifest))
        return has_manifest and self.is_in_place() and journal.is_in(self._own)

    def keep_usable(self) -> bool:
        """Take back the rights to the folder; return whether one was missing.

        Raises:
            OSError: The system does not allow it.
        """
        return self._own.keep_usable(owner=True)

    def make_again(self, journal: Journal) -> None:
        """Make what is missing of the folder and its files again.

        Raises:
            HostError: It cannot be made, or another process is using it.
            OSError: The same, for another reason of the system.
        """
        old = self._own
        if not old.is_in_place():
            self._own = old.made_again(other_name=False)
        try:
            self._make_files_again(journal)
        finally:
            if old is not self._own:
                # A step may have moved it to where it would become part of an image.
                old.discard(_FILES)

    def _make_files_again(self, journal: Journal) -> None:
        if not self._own.has_open(_LOCK, self._lock):
            old_lock, self._lock = self._lock, _locked(self._own)
            os.close(old_lock)
        if not self._own.has_size(MANIFEST, len(self._manifest)):
            self._own.replace(MANIFEST, [self._manifest], durable=True)
        if not journal.is_in(self._own):
            journal.move_to(self._own)

    # --- the end ---------------------------------------------------------------------------------

    def archive_previous(self) -> str | None:
        """Move the state of an earlier run to a folder of its own. Return that folder, if any.

        Raises:
            HostError: It cannot be moved.
        """
        if not any(self._own.has(name) for name in (MANIFEST, JOURNAL)):
            return None
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime())
        for attempt in range(1000):
            target = f"previous-{stamp}-{attempt}" if attempt else f"previous-{stamp}"
            try:
                # In this order for the same reason as in `remove`.
                self._own.move_to_new_folder((MANIFEST, JOURNAL), target)
            except FileExistsError:
                continue
            except OSError as error:
                raise explain(error, f"move the earlier state in {self.folder}") from error
            return self._own.file(target)
        raise HostError(
            f"too many earlier states in {self.folder}", hint="remove its previous-* folders"
        )

    def release(self) -> None:
        """Release the lock of a folder that is not needed after all, and keep its content."""
        if not self._own.has(MANIFEST):
            self.remove()

    def remove(self) -> None:
        """Remove the state of a run that has finished: it must not become part of an image."""
        with suppress(OSError):
            self.keep_usable()
        # The manifest first: without its journal it would look like a run that has done nothing.
        self._own.unlink(MANIFEST)
        self._own.unlink(JOURNAL)
        self._own.unlock(_LOCK, self._lock)
        self._own.remove()
        if not self.is_lasting:
            with suppress(OSError):  # other runs may use the folder above it
                os.rmdir(os.path.dirname(self.folder))


def create(folder: str) -> Store:
    """Lock the state folder for a new run, without changing an earlier state in it.

    Raises:
        InUseError: Another run is using it now.
        HostError: The folder cannot be used.
    """
    return _open(folder)


def open_existing(folder: str) -> Store:
    """Lock the state folder of a run to resume.

    Raises:
        HostError: It does not exist, or another process is running the run.
    """
    store = _open(folder)
    try:
        store._manifest = store._own.read(MANIFEST, limits.MANIFEST_BYTES)  # noqa: SLF001
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise explain(error, f"read {os.path.join(folder, MANIFEST)}") from error
        # The run finished in another process while this one was looking for it.
        store.remove()
        raise HostError(
            f"there is no state of an unfinished run in {folder}",
            hint="omit --resume to start a new run",
        ) from None
    return store


def _open(path: str) -> Store:
    above: list[str] = []
    try:
        try:
            folder = OwnFolder.open(path)
        except FileNotFoundError:
            above = folder_chain(path)[1:]
            folder = OwnFolder.make(path)
    except OSError as error:
        raise HostError(
            f"cannot use the state folder {path}: {error.strerror}", hint=ANOTHER_FOLDER
        ) from error
    try:
        return Store(folder, _locked(folder), above)
    except BaseException:
        folder.close()
        raise


def _locked(folder: OwnFolder) -> int:
    lock = folder.lock(_LOCK)
    if lock is None:
        raise InUseError(
            f"another awstoe is using the state folder {folder.path}",
            hint="wait until it has finished, or give this run its own --execution-id or"
            " --state-directory",
        )
    return lock


def read_manifest(folder: str) -> Manifest | None:
    """Return the manifest of the run in ``folder``, or None if no step of a run has started.

    Raises:
        HostError: This version cannot read it.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        opened = OwnFolder.open(folder)
        try:
            content = opened.read(MANIFEST, limits.MANIFEST_BYTES)
        finally:
            opened.close()
        if not content.strip(b"\0") and _is_empty(os.path.join(folder, JOURNAL)):
            return None  # the machine lost power before the first step
        data = json.loads(content)
        version = data.pop("version")
        if version != _VERSION:
            raise HostError(
                f"{path}: expected the state of a run in format {_VERSION}, got format {version}",
                hint="resume it with the version of awstoe that started it, or omit --resume to"
                " start a new run",
            )
        return Manifest(
            execution_id=str(data["execution_id"]),
            documents=tuple(data["documents"]),
            phases=tuple(data["phases"]),
            parameters=tuple(
                tuple((str(name), str(value)) for name, value in group)
                for group in data["parameters"]
            ),
            log_folder=str(data["log_folder"]),
            start_time=str(data["start_time"]),
            checksums=tuple(int(each) for each in data["checksums"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise explain(error, f"read {path}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(
            f"{path}: the state of the run is damaged: {error}",
            hint="start a new run without --resume",
        ) from error


def _is_empty(path: str) -> bool:
    try:
        return os.path.getsize(path) == 0
    except FileNotFoundError:
        return True


def candidates(root: str) -> list[str]:
    """Return the state folders in ``root``, sorted by name."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    folders = (os.path.join(root, name) for name in names)
    return [f for f in folders if os.path.isfile(os.path.join(f, MANIFEST))]


def select_run(found: list[Manifest]) -> Manifest:
    """Return the one run to resume.

    Raises:
        UsageError: There is no run, or more than one; the message lists their IDs.
    """
    if len(found) == 1:
        return found[0]
    if not found:
        raise nothing_to_resume()
    lines = "\n".join(f"  {m.execution_id}  started {m.start_time}" for m in found)
    raise UsageError(
        f"{len(found)} unfinished runs of these documents can be resumed:\n{lines}",
        hint="choose one with --execution-id",
    )


def nothing_to_resume() -> UsageError:
    """Return the error for a ``--resume`` that finds no unfinished run."""
    return UsageError(
        "there is no unfinished run of these documents to resume",
        hint="omit --resume to start a new run; if the run used --state-directory, give it again",
    )
