"""Shows the progress of long operations: one line on the terminal that is rewritten.

If standard error is not a terminal, no progress is shown.
"""

import sys
import threading
import time
from typing import Final, TextIO

_SECONDS_BETWEEN: Final = 0.1
_MB: Final = 1_000_000


class Progress:
    """Counts files, bytes and regions from several threads."""

    def __init__(
        self, what: str, *, files: int, size: int, regions: int, stream: TextIO = sys.stderr
    ) -> None:
        self._what = what
        self._files, self._size, self._regions = files, size, regions
        self._files_done = self._sent = self._regions_done = 0
        self._stream = stream
        self._shown = 0.0
        self._lock = threading.Lock()
        self._live = stream.isatty()

    def sent(self, count: int) -> None:
        """Count bytes; negative if an attempt has to be repeated."""
        with self._lock:
            self._sent += count
            self._show()

    def file_done(self) -> None:
        """Count a file."""
        with self._lock:
            self._files_done += 1
            self._show()

    def region_done(self) -> None:
        """Count a region."""
        with self._lock:
            self._regions_done += 1
            self._show()

    def close(self) -> None:
        """Remove the line."""
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _show(self) -> None:
        now = time.monotonic()
        if not self._live or now - self._shown < _SECONDS_BETWEEN:
            return
        self._shown = now
        self._stream.write(
            f"\r\x1b[K{self._what}: {self._files_done}/{self._files} files,"
            f" {self._sent / _MB:.1f}/{self._size / _MB:.1f} MB,"
            f" {self._regions_done}/{self._regions} regions"
        )
        self._stream.flush()
