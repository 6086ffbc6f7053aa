"""What a release has done so far: one JSON file that is replaced as a whole, behind a lock.

``out/release-<version>/state.json`` has each step's result. A step is done for good when its result
says so and the files that it made are still what they were; everything else runs again. The lock is
the system's, on a file: it goes with the process that holds it, however that ends.
"""

import contextlib
import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from awstoe.host.files.own_files import replace_file
from awstoe_release import contents
from awstoe_release.failure import ReleaseFailure

_FILE: Final = "state.json"
_FORMAT: Final = 1
_MIB: Final = 1 << 20


class Status(StrEnum):
    """How a step ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    """Some regions failed; the others have it."""
    SKIPPED = "skipped"
    FAILED = "failed"


class State:
    """The steps' results of one release, on disk after every change."""

    def __init__(self, folder: str, data: dict[str, Any]) -> None:
        self._folder = folder
        self._data = data

    @classmethod
    def open(cls, folder: str, *, version: str, commit: str) -> "State":
        """Read it, or begin a new one.

        Args:
            folder: The release's folder.
            version: The version.
            commit: What is released; another commit is another release.

        Raises:
            ReleaseFailure: It is damaged, or is another commit's.
        """
        data = read(folder)
        if data is None:
            return cls(
                folder, {"format": _FORMAT, "version": version, "commit": commit, "steps": {}}
            )
        if (data["version"], data["commit"]) != (version, commit):
            raise ReleaseFailure(
                f"{folder} was begun for version {data['version']} of commit {data['commit']},"
                f" this is version {version} of commit {commit}",
                hint="what is published never changes: release another version, or remove the"
                " folder if nothing of it was published",
            )
        return cls(folder, data)

    def status(self, step: str) -> Status | None:
        """How a step ended; None when it did not run yet, or was stopped in the middle."""
        found = self._data["steps"].get(step, {})
        return Status(found["status"]) if "status" in found else None

    def result(self, step: str) -> Mapping[str, Any]:
        """What a step wrote; empty before it ran."""
        found: Mapping[str, Any] = self._data["steps"].get(step, {}).get("result", {})
        return found

    def seconds(self, step: str) -> float:
        """How long a step took; 0 before it ran."""
        return float(self._data["steps"].get(step, {}).get("seconds", 0))

    def is_done(self, step: str) -> bool:
        """Whether a step is done and its files are still what it made."""
        found = self._data["steps"].get(step)
        if found is None or found.get("status") != Status.DONE:
            return False
        files = found.get("files", {})
        return all(
            _sha256(os.path.join(self._folder, name)) == digest for name, digest in files.items()
        )

    def record(
        self,
        step: str,
        status: Status,
        *,
        seconds: float,
        result: Mapping[str, object],
        reason: str = "",
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Note how a step ended.

        Args:
            step: Its name.
            status: How it ended.
            seconds: How long it took.
            result: What it found or made.
            reason: Why it was skipped or failed.
            files: SHA-256 of what it made, by path inside the release's folder.

        Raises:
            ReleaseFailure: It cannot be written.
        """
        ended = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._data["steps"][step] = {
            "status": status.value,
            "ended": ended,
            "seconds": round(seconds, 1),
            **({"reason": reason} if reason else {}),
            "result": result,
            "files": files or {},
        }
        self._write()

    def forget(self, step: str) -> None:
        """Let a step run again; what it found out about regions is kept."""
        if self._data["steps"].get(step, {}).pop("status", None) is not None:
            self._write()

    def _write(self) -> None:
        write_json(os.path.join(self._folder, _FILE), self._data)


def read(folder: str) -> dict[str, Any] | None:
    """The state in a release's folder; None when there is none.

    Raises:
        ReleaseFailure: It is damaged.
    """
    path = os.path.join(folder, _FILE)
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ReleaseFailure(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ReleaseFailure(f"{path}: expected the state of a release, format {_FORMAT}")
    return data


def write_json(path: str, data: object) -> None:
    """Write ``data`` so that the file is always whole.

    Raises:
        ReleaseFailure: It cannot be written.
    """
    write(path, (json.dumps(data, indent=1, sort_keys=False) + "\n").encode())


def write(path: str, data: bytes) -> None:
    """Replace a file; a reader sees the old one or the new one.

    Raises:
        ReleaseFailure: It cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace_file(path, [data], durable=True)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be written: {error.strerror}") from error


def _sha256(path: str) -> str:
    """A file's SHA-256; empty when it cannot be read."""
    try:
        return sha256_of(path)
    except ReleaseFailure:
        return ""


def sha256_of(path: str) -> str:
    """A file's SHA-256 in hexadecimal digits.

    Raises:
        ReleaseFailure: It cannot be read.
    """
    found = contents.read(path, part_size=_MIB, multipart_from=1 << 62)
    return found.sha256.hex()


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Keep a second release out while the block runs.

    Raises:
        ReleaseFailure: Another release is running.
    """
    path = os.path.join(folder, "release.lock")
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 64).decode(errors="replace").strip()
            raise ReleaseFailure(
                f"another release is running (process {holder or 'unknown'}): {path} is locked",
                hint="wait until it has ended; nothing has to be removed by hand",
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
