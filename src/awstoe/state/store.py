"""The state folders of runs, each with a manifest, a journal and a lock.

Default: ``/var/lib/awstoe/state/<executionId>/`` for root, ``$XDG_STATE_HOME/awstoe/state/...`` for
other users; ``--state-directory`` names the folder itself. The state of another run in the folder
is never resumed silently: a new run moves it to a ``previous-*`` folder.
"""

import json
import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from awstoe.errors import HostError, UsageError
from awstoe.host.files import locks, renaming
from awstoe.host.files.own_files import explain, make_private_folder, replace_file
from awstoe.state.journal import Journal

MANIFEST = "run.json"
JOURNAL = "journal.jsonl"
_LOCK = "lock"
_VERSION = 2


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


def safe_name(execution_id: str) -> str:
    """Return ``execution_id`` as one part of a path: an ID may contain a slash."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in execution_id)
    return "_" * max(len(name), 1) if name.strip(".") == "" else name


class Store:
    """The locked state folder of one run."""

    def __init__(self, folder: str, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @property
    def journal_path(self) -> str:
        """The path of the journal."""
        return os.path.join(self.folder, JOURNAL)

    def open_journal(self, folders: Sequence[str], related: Sequence[str]) -> Journal:
        """Open the run's journal. Its first ``flush`` waits until the manifest is on the disk.

        Args:
            folders: Folders above that were made for the state folder.
            related: What else the run needs to be resumed.

        Raises:
            HostError: It cannot be opened.
        """
        manifest = os.path.join(self.folder, MANIFEST)
        return Journal(self.journal_path, (manifest, self.folder, *folders), related)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest. From then on the run can be resumed.

        Raises:
            HostError: It cannot be written.
        """
        data = json.dumps({"version": _VERSION, **manifest._asdict()}, indent=1)
        path = os.path.join(self.folder, MANIFEST)
        replace_file(path, [data.encode()])

    def archive_previous(self) -> str | None:
        """Move the state of an earlier run to a folder of its own. Return that folder, if any.

        Raises:
            HostError: It cannot be moved.
        """
        if not any(os.path.exists(os.path.join(self.folder, name)) for name in (MANIFEST, JOURNAL)):
            return None
        return _archive(self.folder)

    def release(self) -> None:
        """Release the lock of a folder that is not needed after all, and keep its content."""
        if not os.path.exists(os.path.join(self.folder, MANIFEST)):
            self.remove()

    def remove(self) -> None:
        """Remove the state of a run that has finished: it must not become part of an image."""
        # The manifest first: without its journal it would look like a run that has done nothing.
        for name in (MANIFEST, JOURNAL):
            try:
                renaming.unlink(os.path.join(self.folder, name))
            except OSError:
                pass
        locks.remove(os.path.join(self.folder, _LOCK), self._lock)
        try:
            os.rmdir(self.folder)
        except OSError:
            pass


def create(folder: str) -> Store:
    """Lock the state folder for a new run, without changing an earlier state in it.

    Raises:
        HostError: The folder cannot be used, or another run is using it now.
    """
    return _lock(folder)


def open_existing(folder: str) -> Store:
    """Lock the state folder of a run to resume.

    Raises:
        HostError: It does not exist, or another process is running the run.
    """
    store = _lock(folder)
    if not os.path.isfile(os.path.join(folder, MANIFEST)):
        # The run finished in another process while this one was looking for it.
        store.remove()
        raise HostError(
            f"there is no state of an unfinished run in {folder}",
            hint="omit --resume to start a new run",
        )
    return store


def _lock(folder: str) -> Store:
    if not os.path.isdir(folder):
        try:
            make_private_folder(folder)
        except HostError:
            if not os.path.isdir(folder):
                raise
    lock = locks.acquire(os.path.join(folder, _LOCK))
    if lock is None:
        raise HostError(
            f"another awstoe is using the state folder {folder}",
            hint="wait until it has finished, or give this run its own --execution-id or"
            " --state-directory",
        )
    return Store(folder, lock)


def _archive(folder: str) -> str:
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime())
    for attempt in range(1000):
        suffix = f"-{attempt}" if attempt else ""
        target = os.path.join(folder, f"previous-{stamp}{suffix}")
        try:
            os.mkdir(target, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise explain(error, f"move the earlier state in {folder}") from error
        try:
            for name in (MANIFEST, JOURNAL):  # in this order for the same reason as in `remove`
                source = os.path.join(folder, name)
                if os.path.exists(source):
                    renaming.replace(source, os.path.join(target, name))
        except OSError as error:
            raise explain(error, f"move the earlier state in {folder}") from error
        return target
    raise HostError(f"too many earlier states in {folder}", hint="remove its previous-* folders")


def read_manifest(folder: str) -> Manifest | None:
    """Return the manifest of the run in ``folder``, or None if no step of a run has started.

    Raises:
        HostError: This version cannot read it.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, "rb") as file:
            content = file.read()
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
