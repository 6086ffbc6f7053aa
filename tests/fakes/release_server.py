"""A real HTTP server for the files of a folder, which can act as an attacker."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    protocol_version = "HTTP/1.1"
    server: "ReleaseServer"

    def do_GET(self) -> None:
        # A program that uses this server as its proxy sends whole URLs.
        path = urlsplit(self.path).path.lstrip("/") if "://" in self.path else self.path.lstrip("/")
        self.server.requests.append((path, self.headers.get("Range", "")))
        region, _, rest = path.partition("/")
        for key in (path, f"*/{rest}", f"{region}/*", "*"):
            if key in self.server.tricks:
                self.server.tricks[key](self)
                return
        self.serve(rest)

    def serve(self, path: str) -> None:
        """Send the file as it is, or the requested range of it."""
        file = self.server.folder / path
        if not file.is_file():
            self.give(b"<Error><Code>AccessDenied</Code></Error>", status=403)
            return
        data = file.read_bytes()
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and wanted.endswith("-"):
            begin = int(wanted[6:-1])
            self.give(
                data[begin:],
                status=206,
                headers={"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"},
            )
        else:
            self.give(data)

    def give(
        self, data: bytes, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


Trick = Callable[[Handler], None]


class ReleaseServer(ThreadingHTTPServer):
    """Serves ``folder`` below every region's name: ``/us-east-2/metadata/timestamp.json``."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.tricks: dict[str, Trick] = {}
        """Replacements for normal responses by path: ``*/path``, ``region/*``, or ``*``."""
        self.requests: list[tuple[str, str]] = []
        """Path and range of each request."""
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients that disconnect are part of the tests."""
        del request, client_address

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def replaced(data: bytes) -> Trick:
    """Send other bytes than the file's."""
    return lambda handler: handler.give(data)


def status(code: int) -> Trick:
    """Send an error."""
    return lambda handler: handler.give(b"", status=code)


def redirect(location: str) -> Trick:
    return lambda handler: handler.give(b"", status=302, headers={"Location": location})


def endless(start: bytes = b"") -> Trick:
    """Send a body that never ends, without a length."""

    def trick(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        try:
            handler.wfile.write(start)
            while not handler.server.over.is_set():
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    return trick


def drip(head: bytes, seconds: float = 0.05) -> Trick:
    """Send ``head`` at once, then a byte now and then: never silent, never done."""

    def trick(handler: Handler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(head)
            while not handler.server.over.is_set():
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(seconds)
        except OSError:
            pass

    return trick


def silent(handler: Handler) -> None:
    """Accept the request and send nothing."""
    handler.close_connection = True
    handler.server.over.wait(30)


def break_off(after: int, times: int = 1) -> Trick:
    """Announce the whole file, but close the connection early, a number of times."""
    left = [times]

    def trick(handler: Handler) -> None:
        _, _, path = handler.path.lstrip("/").partition("/")
        if left[0] <= 0:
            handler.serve(path)
            return
        left[0] -= 1
        data = (handler.server.folder / path).read_bytes()
        wanted = handler.headers.get("Range", "")
        begin = int(wanted[6:-1]) if wanted else 0
        handler.send_response(206 if wanted else 200)
        if wanted:
            handler.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - begin))
        handler.end_headers()
        handler.wfile.write(data[begin : begin + after])
        handler.close_connection = True

    return trick
