"""The log folder of a run, which is made again if a step removes it.

Image builds end with steps such as ``rm -rf /tmp/* /var/log/*``. The logs stay open, so nothing of
them is lost: they are copied into the new folder, with the documents. The record files are written
whole anyway.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import explain
from awstoe.host.files.own_folder import OwnFolder


class OpenLogs(Protocol):
    """The logs that are open in the folder."""

    def are_in(self, folder: OwnFolder) -> bool:
        """Whether the files still have their names in ``folder``."""

    def truncated(self) -> list[str]:
        """Return the names of the files that have lost lines since the last call."""

    def move_to(self, folder: OwnFolder) -> None:
        """Write everything logged so far into new files in ``folder``, and continue there.

        Raises:
            HostError: They cannot be written.
        """


class LogFolder:
    """The log folder.

    Args:
        folder: The folder.
        copies: The names and the bytes of the copies of the run's documents.

    Attributes:
        logs: The logs that are open in it, if there are any.
        blame: Returns the step that runs now, as the start of a sentence.
    """

    def __init__(self, folder: OwnFolder, copies: Sequence[tuple[str, bytes]]) -> None:
        self._own = folder
        self._copies = copies
        self._news: list[str] = []
        self.logs: OpenLogs | None = None
        self.blame: Callable[[], str] = lambda: "another process"

    @property
    def path(self) -> str:
        """The path of the folder; another one if a step has put something else in its place."""
        return self._own.path

    def write_copies(self) -> None:
        """Write the copies of the documents.

        Raises:
            HostError: They cannot be written.
        """
        for name, data in self._copies:
            if not self._own.has_size(name, len(data)):
                self._own.replace(name, [data])

    def syncs(self) -> list[Callable[[], None]]:
        """Return what syncs the copies of the documents to the disk: a run needs them to resume."""
        return [*(partial(self._own.sync_file, name) for name, _ in self._copies), self._own.sync]

    def open_append(self, name: str) -> int:
        """Open a log for reading and appending.

        Raises:
            HostError: It cannot be opened.
        """
        return self._own.open_append(name)

    def replace(self, name: str, chunks: Sequence[bytes]) -> None:
        """Write a record file.

        Raises:
            RecordError: It cannot be written.
        """
        try:
            self._own.replace(name, chunks)
        except HostError as error:
            if not self.check():
                raise RecordError(error.message, hint=error.hint) from error
            try:
                self._own.replace(name, chunks)
            except HostError as again:
                raise RecordError(again.message, hint=again.hint) from again

    def check(self) -> bool:
        """Make again what a step has removed of the folder. Return whether anything was missing.

        Raises:
            RecordError: It cannot be made again.
        """
        try:
            read_only = self._own.keep_usable()
        except OSError:
            read_only = False  # the write that needs it reports why it fails
        if read_only:
            self._news.append(f"made the log folder {self.path} read-only, which was undone")
        in_place = self._own.is_in_place()
        logs = self.logs
        if logs is not None and (names := logs.truncated()):
            self._news.append(
                f"truncated {' and '.join(names)} in {self.path}: the earlier lines are lost"
            )
        if in_place and (logs is None or logs.are_in(self._own)):
            return read_only
        try:
            if in_place:
                news = f"removed logs from {self.path}, which were written again"
            else:
                news = self._make_again()
            self.write_copies()
            if logs is not None and not logs.are_in(self._own):
                logs.move_to(self._own)
        except (HostError, OSError) as error:
            raise self._lost(error) from error
        self._news.append(news)
        return True

    def finish(self) -> None:
        """Make the folder complete at the end of the run.

        Raises:
            HostError: It cannot be made again, or a document cannot be copied.
        """
        self.check()
        self.write_copies()

    def _make_again(self) -> str:
        old, before = self._own, self.path
        try:
            self._own = old.made_again(other_name=True)
        except OSError:
            if not old.follow():
                raise
            return f"moved the log folder {before}, which is now {self.path}"
        old.close()
        news = f"removed or moved the log folder {before}, which was made again"
        if self.path != before:
            news += f" as {self.path}, because something else has its name"
        return news

    def _lost(self, error: HostError | OSError) -> RecordError:
        if isinstance(error, OSError):
            error = explain(error, f"make it again at {self.path}")
        return RecordError(
            f"{self.blame()} removed or moved the log folder {self.path}: {error.message}",
            hint=error.hint,
        )

    def news(self) -> list[str]:
        """Return what was done since the last call, as the rest of a sentence about the step."""
        news, self._news = self._news, []
        return news
