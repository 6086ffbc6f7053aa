"""Where releases come from: a region over HTTP, or a bundle. Both hold the same paths.

Nothing that comes from here is believed; every reader says how much it takes at most.
"""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

from awstoe import limits
from awstoe.host.network import http
from awstoe.host.network.errors import HttpStatusError, RequestFailed
from awstoe.update.regions import Mirror


class NotFound(Exception):
    """There is no file of that path."""


class TooLarge(Exception):
    """The file has more bytes than it may."""


class Piece(NamedTuple):
    """A file from some offset on."""

    offset: int
    """Where it really begins: a server may send a file from its start, whatever was asked."""
    chunks: Iterator[bytes]


class Repository(Protocol):
    """Files by path. Besides the errors named, ``HostError`` says that it cannot be reached."""

    @property
    def name(self) -> str:
        """In a person's words, for messages."""

    def has(self, path: str) -> bool:
        """Whether a file that the metadata lists may be had here; a region is not asked for it."""

    def read(self, path: str, limit: int) -> bytes:
        """A small file as a whole.

        Raises:
            Missing: There is none.
            TooLarge: It has more than ``limit`` bytes.
        """

    def open(self, path: str, *, offset: int, length: int) -> AbstractContextManager[Piece]:
        """A file of which ``length`` bytes are expected, from ``offset`` on.

        Raises:
            Missing: There is none.
            TooLarge: It has more bytes.
        """


class WebRepository:
    """A region.

    Args:
        mirror: Where it is.
        client: Makes the requests.
        bytes_per_second: The slowest download of a large file that is waited for.
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
                    error.message += f" (asked {failed} times)" if failed > 1 else ""
                    raise
            time.sleep(seconds)

    def _read(self, path: str, limit: int) -> bytes:
        found = bytearray()
        with self._get(path) as answer:
            _check_announced(answer, path, 0, limit)
            for chunk in answer.chunks():
                found += chunk
                if len(found) > limit:
                    raise TooLarge(f"{path}: more than {limit} bytes")
        return bytes(found)

    @contextmanager
    def open(self, path: str, *, offset: int, length: int) -> Iterator[Piece]:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        total = self._client.timeouts.total + length / self._bytes_per_second
        with self._get(path, headers, total) as answer:
            begins = offset if _continues(answer, offset) else 0
            _check_announced(answer, path, begins, length)
            yield Piece(begins, answer.chunks())

    def _get(
        self, path: str, headers: dict[str, str] | None = None, total: float | None = None
    ) -> http.Response:
        try:
            return self._client.get(self._mirror.url + path, headers=headers, total=total)
        except HttpStatusError as error:
            # S3 answers 403 for what is not there where listing is not allowed.
            if error.status in (403, 404):
                raise NotFound(error.message) from error
            raise


def _continues(answer: http.Response, offset: int) -> bool:
    begin = answer.headers.get("Content-Range", "").partition("-")[0]
    return bool(offset) and answer.status == 206 and begin == f"bytes {offset}"  # noqa: PLR2004


def _check_announced(answer: http.Response, path: str, begins: int, limit: int) -> None:
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and begins + int(announced) > limit:
        raise TooLarge(f"{path}: expected at most {limit} bytes, {announced} are announced")


def retry_delay(failed: int, error: Exception | None = None) -> float | None:
    """The seconds to wait before a region is asked again; None: it is not to be.

    Args:
        failed: How often it has failed.
        error: How it did so the last time.
    """
    asked = error.retry_after if isinstance(error, HttpStatusError) else 0.0
    if failed >= limits.UPDATE_ATTEMPTS or asked > limits.UPDATE_RETRY_AFTER_SECONDS:
        return None
    # Many machines that were turned away at the same time must not come back at the same time.
    own = limits.UPDATE_RETRY_SECONDS * float(2 ** (failed - 1)) * (1 + os.urandom(1)[0] / 255)
    return max(asked, own)
