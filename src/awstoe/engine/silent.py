"""A log that drops messages: for ``disableLogging``, and for iterations beyond the logged ones."""

from collections.abc import Iterable

from awstoe.engine.observers import RunLog


class NullLog:
    """Drops every message; only ``flush`` reaches the log behind it."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def info(self, message: str) -> None: ...

    def debug(self, message: str) -> None: ...

    def warning(self, message: str) -> None: ...

    def stdout(self, data: bytes) -> None: ...

    def stdout_end(self) -> None: ...

    def live_stderr(self, data: bytes) -> None: ...

    def stderr(self, chunks: Iterable[bytes]) -> None: ...

    def late(self, data: bytes) -> None: ...

    def flush(self) -> None:
        self._log.flush()
