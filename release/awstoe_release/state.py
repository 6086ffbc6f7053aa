"""What a release has done so far: one JSON file that is replaced as a whole, behind a lock.

``out/release-<version>/state.json`` has each step's result. A step stays done as long as its result
says so and the files it made have not changed; everything else runs again. The operating system
releases the lock when the process that holds it ends, even if it is killed.
"""

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from awstoe.host.files import locks
from awstoe.host.files.own_files import replace_file
from awstoe_release.failure import ReleaseFailure

_FILE: Final = "state.json"
_FORMAT: Final = 1
_HOLDER_BYTES: Final = 64


class Status(StrEnum):
    """How a step ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    """Some regions failed; the step is done in the others."""
    SKIPPED = "skipped"
    FAILED = "failed"


class RegionRecord(NamedTuple):
    """How a step ended in one region."""

    passed: bool
    failure: str = ""
    """The message, if it failed."""
    facts: Mapping[str, object] = {}
    """What else the step found, for the JSON files."""

    def as_json(self) -> dict[str, object]:
        """Return the result as it is in the JSON files."""
        failure = {"failure": self.failure} if self.failure else {}
        return {"passed": self.passed, **self.facts, **failure}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RegionRecord":
        """Return the result that ``as_json`` made ``data`` from."""
        facts = {name: value for name, value in data.items() if name not in cls._fields}
        return cls(bool(data.get("passed")), str(data.get("failure", "")), facts)


class State:
    """The steps' results of one release. Every change is written to disk."""

    def __init__(self, folder: str, data: dict[str, Any]) -> None:
        self._folder = folder
        self._data = data

    @classmethod
    def open(cls, folder: str, *, version: str, commit: str) -> "State":
        """Read the state, or start a new one.

        Args:
            folder: The release's folder.
            version: The version.
            commit: The commit to release. Another commit is another release.

        Raises:
            ReleaseFailure: The state is damaged, or belongs to another commit.
        """
        data = read(folder)
        if data is None:
            return cls(
                folder, {"format": _FORMAT, "version": version, "commit": commit, "steps": {}}
            )
        if (data["version"], data["commit"]) != (version, commit):
            raise ReleaseFailure(
                f"{folder} was started for version {data['version']} of commit {data['commit']},"
                f" this is version {version} of commit {commit}",
                hint="published files never change: release another version, or remove the folder"
                " if nothing of it was published",
            )
        return cls(folder, data)

    def status(self, step: str) -> Status | None:
        """Return how a step ended; None if it did not run, or was stopped in the middle."""
        found = self._data["steps"].get(step, {})
        return Status(found["status"]) if "status" in found else None

    def facts(self, step: str) -> Mapping[str, Any]:
        """Return what a step found or made; empty if it did not run."""
        found: Mapping[str, Any] = self._data["steps"].get(step, {}).get("result", {})
        return found

    def regions(self, step: str) -> dict[str, RegionRecord]:
        """Return how a step that works on regions ended in each; empty if it did not run."""
        found = self.facts(step).get("regions", {})
        return {name: RegionRecord.from_json(data) for name, data in found.items()}

    def seconds(self, step: str) -> float:
        """Return how long a step took; 0 if it did not run."""
        return float(self._data["steps"].get(step, {}).get("seconds", 0))

    def is_done(self, step: str) -> bool:
        """Whether a step is done and the files it made have not changed."""
        found = self._data["steps"].get(step)
        if found is None or found.get("status") != Status.DONE:
            return False
        files = found.get("files", {})
        return all(
            _sha256_if_readable(os.path.join(self._folder, name)) == digest
            for name, digest in files.items()
        )

    def record(
        self,
        step: str,
        status: Status,
        *,
        seconds: float,
        facts: Mapping[str, object],
        reason: str = "",
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Record how a step ended.

        Args:
            step: Its name.
            status: How it ended.
            seconds: How long it took.
            facts: What it found or made.
            reason: Why it was skipped or failed.
            files: SHA-256 of the files it made, by path inside the release's folder.

        Raises:
            HostError: The state cannot be written.
        """
        ended = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._data["steps"][step] = {
            "status": status.value,
            "ended": ended,
            "seconds": round(seconds, 1),
            **({"reason": reason} if reason else {}),
            "result": facts,
            "files": files or {},
        }
        self._write()

    def forget(self, step: str) -> None:
        """Let a step run again. Its results for regions are kept."""
        if self._data["steps"].get(step, {}).pop("status", None) is not None:
            self._write()

    def _write(self) -> None:
        write_json(os.path.join(self._folder, _FILE), self._data)


def read(folder: str) -> dict[str, Any] | None:
    """Return the state in a release's folder; None if it has none.

    Raises:
        ReleaseFailure: The state is damaged.
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
    """Replace a file with ``data`` as JSON.

    Raises:
        ReleaseFailure: Its folder cannot be made.
        HostError: The file cannot be written.
    """
    write(path, (json.dumps(data, indent=1, sort_keys=False) + "\n").encode())


def write(path: str, data: bytes) -> None:
    """Replace a file. A reader sees the old file or the new one, never a part.

    Raises:
        ReleaseFailure: Its folder cannot be made.
        HostError: The file cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be written: {error.strerror}") from error
    replace_file(path, [data], durable=True)


def sha256_of(path: str) -> str:
    """Return a file's SHA-256 in hexadecimal digits.

    Raises:
        ReleaseFailure: The file cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}",
            hint="run the steps before this one again: awstoe-release run --from build",
        ) from error


def _sha256_if_readable(path: str) -> str:
    """Return a file's SHA-256; empty if the file cannot be read."""
    try:
        return sha256_of(path)
    except ReleaseFailure:
        return ""


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Prevent a second release while the block runs.

    Raises:
        ReleaseFailure: Another release is running, or the folder cannot be made.
        HostError: The lock file cannot be opened.
    """
    path = os.path.join(folder, "release.lock")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be written: {error.strerror}") from error
    descriptor = locks.acquire(path)
    if descriptor is None:
        raise ReleaseFailure(
            f"another release is running (process {_holder(path)}): {path} is locked",
            hint="wait until it has ended; you do not need to remove any file",
        )
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _holder(path: str) -> str:
    """Return the ID of the process that wrote a lock file, as text for a user."""
    try:
        with open(path, "rb") as stream:
            return stream.read(_HOLDER_BYTES).decode(errors="replace").strip() or "unknown"
    except OSError:
        return "unknown"
