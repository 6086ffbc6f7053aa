"""Sources of releases: a region over HTTP, or a bundle. Both contain the same paths.

Nothing that comes from here is trusted, and every read has a size limit.
"""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, NamedTuple, Protocol

from awstoe import contact, limits
from awstoe.host.network import http
from awstoe.host.network.errors import HttpStatusError, RequestFailed
from awstoe.update.regions import Mirror

_PARTIAL_CONTENT: Final = 206


class NotFound(Exception):
    """There is no file at that path."""


class TooLarge(Exception):
    """The file exceeds the size limit."""


class Piece(NamedTuple):
    """A file from an offset to its end."""

    offset: int
    """Where it really starts: a server may ignore the request and send the whole file."""
    chunks: Iterator[bytes]


class Repository(Protocol):
    """Files by path. All methods may also raise ``HostError``: it cannot be reached."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    @property
    def missing_hint(self) -> str:
        """What to do if it does not have a file that its metadata lists."""

    @property
    def changed_hint(self) -> str:
        """What to do if it has another file than its metadata describes."""

    def has(self, path: str) -> bool:
        """Whether it may have a file that the metadata lists. This sends no request."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of a small file.

        Raises:
            NotFound: There is no such file.
            TooLarge: It has more than ``limit`` bytes.
        """

    def open(self, path: str, *, offset: int, length: int) -> AbstractContextManager[Piece]:
        """Open a file of ``length`` bytes at ``offset``.

        Raises:
            NotFound: There is no such file.
            TooLarge: It has more bytes.
        """


class WebRepository:
    """A region.

    Args:
        mirror: Its name and URL.
        client: Sends the requests.
        bytes_per_second: The slowest acceptable download of a large file.
    """

    def __init__(
        self,
        mirror: Mirror,
        client: http.Client,
        *,
        bytes_per_second: float = limits.UPDATE_BYTES_PER_SECOND,
    ) -> None:
        self._mirror = mirror
        self._client = client
        self._bytes_per_second = bytes_per_second
        self.name = mirror.name
        self.missing_hint = "a release may be in progress: try again later, or try another region"
        self.changed_hint = (
            "if other regions return the same, this may be an attack on updates:"
            f" {contact.report_attack()}"
        )

    def has(self, path: str) -> bool:
        del path
        return True

    def read(self, path: str, limit: int) -> bytes:
        failed = 0
        while True:
            try:
                return self._read(path, limit)
            except RequestFailed as error:
                failed += 1
                seconds = retry_delay(failed, error) if error.is_transient else None
                if seconds is None:
                    error.message += f" (tried {failed} times)" if failed > 1 else ""
                    raise
            time.sleep(seconds)

    def _read(self, path: str, limit: int) -> bytes:
        data = bytearray()
        with self._get(path) as response:
            _check_announced(response, path, 0, limit)
            for chunk in response.chunks():
                data += chunk
                if len(data) > limit:
                    raise TooLarge(f"{path}: more than {limit} bytes")
        return bytes(data)

    @contextmanager
    def open(self, path: str, *, offset: int, length: int) -> Iterator[Piece]:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        total = self._client.timeouts.total + length / self._bytes_per_second
        with self._get(path, headers, total) as response:
            start = offset if _starts_at(response, offset) else 0
            _check_announced(response, path, start, length)
            yield Piece(start, response.chunks())

    def _get(
        self, path: str, headers: dict[str, str] | None = None, total: float | None = None
    ) -> http.Response:
        try:
            return self._client.get(self._mirror.url + path, headers=headers, total=total)
        except HttpStatusError as error:
            # For a missing file, S3 returns 403 if the caller may not list the bucket.
            if error.status in (403, 404):
                raise NotFound(error.message) from error
            raise


def _starts_at(response: http.Response, offset: int) -> bool:
    start = response.headers.get("Content-Range", "").partition("-")[0]
    return bool(offset) and response.status == _PARTIAL_CONTENT and start == f"bytes {offset}"


def _check_announced(response: http.Response, path: str, start: int, limit: int) -> None:
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and start + int(announced) > limit:
        raise TooLarge(f"{path}: expected at most {limit} bytes, {announced} are announced")


def retry_delay(failed: int, error: Exception | None = None) -> float | None:
    """Return the seconds to wait before the next request to a region; None for no more requests.

    Args:
        failed: The number of failed requests.
        error: The last failure.
    """
    requested = error.retry_after if isinstance(error, HttpStatusError) else 0.0
    if failed >= limits.UPDATE_ATTEMPTS or requested > limits.UPDATE_RETRY_AFTER_SECONDS:
        return None
    # Machines that were turned away at the same time must not all come back at the same time.
    own = limits.UPDATE_RETRY_SECONDS * float(2 ** (failed - 1)) * (1 + os.urandom(1)[0] / 255)
    return max(requested, own)
