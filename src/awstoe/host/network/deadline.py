"""Time limits of HTTP requests, and the timer that cuts a connection when one is reached.

urllib3 limits connecting and each read. A server that sends a byte now and then never reaches
those limits, so a timer shuts down the sockets of a request when its total time is up.
"""

import socket
import threading
import time
from typing import Final, NamedTuple

from urllib3 import connection, connectionpool


class Timeouts(NamedTuple):
    """How long a server may take, in seconds."""

    connect: float
    idle: float
    """Between two pieces of a response."""
    total: float
    """For one request, from its start to the last byte."""


class Deadline:
    """A time limit that several requests share.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline; 0 or less once it has passed."""
        return self._end - time.monotonic()


class WatchedSockets:
    """The connections of one request; a timer shuts them down when its time is up.

    Args:
        seconds: From now on.

    Attributes:
        is_over: Whether the time is up.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True
        self._timer.start()

    def watch_this_thread(self) -> None:
        """Add each connection that urllib3 opens in this thread from now on."""
        _current.watched = self

    def add(self, opened: socket.socket) -> None:
        """Watch a connection through a duplicate, as TLS takes over the socket's descriptor."""
        duplicate = opened.dup()
        with self._guard:
            self._sockets.append(duplicate)
            if self.is_over:
                _shut_down(duplicate)

    def _shut_down(self) -> None:
        with self._guard:
            self.is_over = True
            for each in self._sockets:
                _shut_down(each)

    def close(self) -> None:
        """Stop the timer and release the duplicates."""
        self._timer.cancel()
        with self._guard:
            for each in self._sockets:
                each.close()
            self._sockets.clear()


def _shut_down(opened: socket.socket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # already closed


_current: Final = threading.local()
"""``watched``: the sockets of the request that this thread makes."""


def _watched(opened: socket.socket) -> socket.socket:
    watched: WatchedSockets = _current.watched
    watched.add(opened)
    return opened


class _Plain(connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _watched(super()._new_conn())


class _Secure(connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _watched(super()._new_conn())


class _PlainPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _Secure


POOL_CLASSES: Final = {"http": _PlainPool, "https": _SecurePool}
"""For urllib3's pool managers: pools whose connections are watched."""
