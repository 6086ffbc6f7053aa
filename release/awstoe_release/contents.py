"""Files to send: their checksums as S3 computes them, and pieces that are read while sending.

S3's checksum of an object sent in parts is the SHA-256 of the parts' SHA-256s, and the number of
parts. Nothing here holds more of a file in memory than one read.
"""

import base64
import hashlib
import io
import os
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from awstoe_release.failure import ReleaseFailure

_CHUNK: Final = 1 << 20


class Content(NamedTuple):
    """A local file to compare or send."""

    path: str
    size: int
    sha256: bytes
    part_size: int
    parts: tuple[bytes, ...]
    """The SHA-256 of each part; empty if the file is sent as a whole."""

    @property
    def checksum(self) -> str:
        """S3's checksum of the object after sending it this way."""
        return composite(self.parts) if self.parts else encoded(self.sha256)


def encoded(digest: bytes) -> str:
    """Return a digest in the format of S3's headers."""
    return base64.b64encode(digest).decode()


def composite(parts: tuple[bytes, ...]) -> str:
    """Return S3's checksum of an object that was sent in parts."""
    return f"{encoded(hashlib.sha256(b''.join(parts)).digest())}-{len(parts)}"


def read(path: str, *, part_size: int, multipart_from: int) -> Content:
    """Read a file once and compute all its checksums.

    Args:
        path: The file.
        part_size: The size of a part in bytes.
        multipart_from: The size in bytes from which a file is sent in parts.

    Raises:
        ReleaseFailure: The file cannot be read, or changed while it was read.
    """
    whole, part, parts, filled = hashlib.sha256(), hashlib.sha256(), [], 0
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as stream:
            while chunk := stream.read(min(_CHUNK, part_size - filled)):
                whole.update(chunk)
                part.update(chunk)
                filled += len(chunk)
                if filled == part_size:
                    parts.append(part.digest())
                    part, filled = hashlib.sha256(), 0
            if stream.tell() != size:
                raise ReleaseFailure(f"{path} changed while it was read")
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}",
            hint="run the steps before this one again: awstoe-release run --from build",
        ) from error
    if filled:
        parts.append(part.digest())
    kept = tuple(parts) if size >= multipart_from else ()
    return Content(path, size, whole.digest(), part_size, kept)


class Bandwidth:
    """A limit that all uploads share: each takes bytes before it sends them."""

    def __init__(
        self,
        bytes_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    def take(self, count: int) -> None:
        """Wait until ``count`` more bytes fit into the limit."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now) + count / self._rate
            wait = self._free_at - now
        self._sleep(wait)


class Piece(io.RawIOBase):
    """A range of a file as a stream for one request, which can rewind it for another attempt."""

    def __init__(
        self,
        path: str,
        start: int,
        length: int,
        *,
        bandwidth: Bandwidth,
        sent: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115 - closed with this stream
        self._start, self._length, self._place = start, length, 0
        self._bandwidth, self._sent = bandwidth, sent

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._length}[whence]
        place = min(max(0, base + offset), self._length)
        if place < self._place:
            self._sent(place - self._place)  # another attempt: the bytes of this one do not count
        self._place = place
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = self._length - self._place
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        self._bandwidth.take(wanted)
        self._file.seek(self._start + self._place)
        data = self._file.read(wanted)
        self._place += len(data)
        self._sent(len(data))
        return data

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        self._file.close()
        super().close()
