"""An S3 server on 127.0.0.1: moto's S3, behind a front that enforces what moto does not.

moto keeps the buckets. The front checks, as S3 does, the SHA-256 of every body, the owner of the
bucket, and the region and age of a signature, and requires a signature to write. It logs the
requests and simulates faults (``faults.py``). Reading needs no signature: the buckets are public.
Requests may name the bucket in the path or, as users' addresses do, in the host name.

As a program (``python -m awstoe_release.rehearsal.server``) it writes one JSON line with its ports,
and ends when its standard input is closed, so that it never outlives the process that started it.
"""

import argparse
import base64
import contextlib
import datetime as dt
import email.utils
import hashlib
import http.server
import io
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from awstoe_release.failure import ReleaseFailure
from awstoe_release.rehearsal.faults import Fault, Faults, Kind

CONTROL: Final = "/-/"
"""Paths that start with this control the front itself."""
ACCOUNT: Final = "123456789012"
_OWN_HOSTS: Final = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
_SKEW_SECONDS: Final = 900
_SPILL_BYTES: Final = 65_536
_CHUNK: Final = 65_536
_ANYBODY: Final = (
    "AWS4-HMAC-SHA256 Credential=anybody/20200101/us-east-1/s3/aws4_request,"
    " SignedHeaders=host, Signature=0"
)
_PART_CHECKSUM: Final = re.compile(rb"<ChecksumSHA256>([^<]+)</ChecksumSHA256>")
_CHECKSUM: Final = "x-amz-checksum-sha256"
_WRONG: Final = base64.b64encode(hashlib.sha256(b"wrong").digest()).decode()


class Buckets:
    """moto's S3 with its objects on disk, and what it does not store."""

    def __init__(self) -> None:
        os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(_SPILL_BYTES)
        try:
            from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415
            from moto.s3.models import s3_backends  # noqa: PLC0415
        except ImportError as error:
            raise ReleaseFailure(
                f"the rehearsal's S3 server is missing: {error}",
                hint="moto is a development dependency: run 'make test' once, or install"
                " 'moto[s3]', flask and flask-cors",
            ) from error
        self.app = create_backend_app("s3")
        self._backend = s3_backends[ACCOUNT]["aws"]
        self._regions: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._composites: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def reset(self, buckets: Sequence[Mapping[str, str]]) -> None:
        """Start over with these buckets: each has ``name``, ``region`` and optionally ``owner``."""
        with self._lock:
            self._backend.reset()
            self._regions = {each["name"]: each["region"] for each in buckets}
            self._owners = {each["name"]: each.get("owner", ACCOUNT) for each in buckets}
            self._composites = {}
            for each in buckets:
                self._backend.create_bucket(each["name"], each["region"])

    def region(self, bucket: str) -> str:
        return self._regions.get(bucket, "")

    def owner(self, bucket: str) -> str:
        return self._owners.get(bucket, "")

    def has(self, bucket: str, key: str) -> bool:
        found = self._backend.buckets.get(bucket)
        return found is not None and key in found.keys

    def note_composite(self, bucket: str, key: str, checksum: str) -> None:
        """Store the checksum of an object that was sent in parts: moto does not return it."""
        self._composites[bucket, key] = checksum

    def composite(self, bucket: str, key: str) -> str:
        return self._composites.get((bucket, key), "")


class Log:
    """The answered requests: method, bucket, key, status, query.

    A client gets its response a moment before the request is in the log, so readers wait.
    """

    _SECONDS: ClassVar = 5.0

    def __init__(self) -> None:
        self._rows: list[list[Any]] = []
        self._answering = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def request(self) -> Iterator[list[Any]]:
        """Return an empty row, which the block fills in after it has answered the request."""
        row: list[Any] = []
        with self._changed:
            self._answering += 1
        try:
            yield row
        finally:
            with self._changed:
                self._answering -= 1
                self._rows += [row] if row else []
                self._changed.notify_all()

    def take(self, *, forget: bool = False) -> list[list[Any]]:
        """Return all rows, after all requests in progress are answered or a time limit."""
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, self._SECONDS)
            rows = list(self._rows)
            if forget:
                self._rows.clear()
        return rows


class Front(http.server.ThreadingHTTPServer):
    """The server of one port. Several can share buckets, faults and log."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, buckets: Buckets, faults: Faults, log: Log) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.buckets, self.faults, self.log = buckets, faults, log

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Front
    disable_nagle_algorithm = True
    wbufsize = -1
    _METHODS: ClassVar = ("GET", "HEAD", "PUT", "POST", "DELETE")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what http.server looks up
        if name.removeprefix("do_") in self._METHODS:
            return self._serve
        raise AttributeError(name)

    def handle_expect_100(self) -> bool:
        """Let the client send its body now, without waiting for its timeout."""
        answer = super().handle_expect_100()
        self.wfile.flush()
        return answer

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the log has the requests."""

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith(CONTROL):
            self._control(path.removeprefix(CONTROL), self._body())
            return
        host = self.headers.get("Host", "")
        path = urllib.parse.unquote(path)
        if not _OWN_HOSTS.fullmatch(host):
            path = f"/{host.partition('.')[0]}{path}"
        bucket, _, key = path.lstrip("/").partition("/")
        faults = self.server.faults.met_by(self.command, bucket, key)
        with self.server.log.request() as row:
            status = self._answer(bucket, key, query, faults)
            row += [self.command, bucket, key, status, query]

    def _answer(self, bucket: str, key: str, query: str, faults: Sequence[Fault]) -> int:
        """Answer a request. Return the status; 0 if the connection was reset."""
        met = {fault.kind: fault for fault in faults}
        if Kind.DOWN in met:
            return self._reset()
        if Kind.SLOW in met:
            time.sleep(met[Kind.SLOW].seconds)
        clock = met[Kind.CLOCK].seconds if Kind.CLOCK in met else 0.0
        if Kind.ERROR in met:
            self._body()
            return self._refuse(met[Kind.ERROR].status, met[Kind.ERROR].code, "simulated", clock)
        size = int(self.headers.get("Content-Length") or 0)
        if Kind.RESET in met and size:
            self.rfile.read(size // 2)
            return self._reset()
        body = self._body()
        if refusal := self._refusal(bucket, key, body, clock):
            return self._refuse(*refusal, clock)
        status, headers, data = self._moto(bucket, key, query, body)
        data = self._complete(bucket, key, query, status, headers, body, data)
        if Kind.CHECKSUM in met and _CHECKSUM in headers:
            headers[_CHECKSUM] = _WRONG
        return self._send(status, headers, data, clock, half=Kind.RESET in met)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _refusal(
        self, bucket: str, key: str, body: bytes, clock: float
    ) -> tuple[int, str, str] | None:
        """Return the error that S3 would return; None if moto should handle the request."""
        authorization = self.headers.get("Authorization", "")
        reading = self.command in {"GET", "HEAD"} and key
        if not authorization:
            return None if reading else (403, "AccessDenied", "no signature")
        date = self.headers.get("x-amz-date", "")
        now = time.time() + clock
        try:
            signed = dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        except ValueError:
            return (403, "AccessDenied", "no time in the signature")
        if abs(signed.timestamp() - now) > _SKEW_SECONDS:
            return (403, "RequestTimeTooSkewed", "the times differ by more than 15 minutes")
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/s3/", authorization)
        region = self.server.buckets.region(bucket)
        if region and (scope is None or scope[1] != region):
            return (400, "AuthorizationHeaderMalformed", f"expecting '{region}'")
        for header in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
            wanted = self.headers.get(header)
            if wanted and region and wanted != self.server.buckets.owner(bucket):
                return (403, "AccessDenied", "Access Denied")
        return self._refusal_of_contents(bucket, key, body)

    def _refusal_of_contents(
        self, bucket: str, key: str, body: bytes
    ) -> tuple[int, str, str] | None:
        checksum = self.headers.get("x-amz-checksum-sha256")
        if self.command == "PUT" and key and not self.headers.get("x-amz-copy-source"):
            if checksum is None:
                return (400, "InvalidRequest", "no x-amz-checksum-sha256")
            if checksum != base64.b64encode(hashlib.sha256(body).digest()).decode():
                return (
                    400,
                    "BadDigest",
                    "The SHA256 you specified did not match the calculated one",
                )
        if self.headers.get("If-None-Match") == "*" and self.server.buckets.has(bucket, key):
            return (412, "PreconditionFailed", "At least one of the pre-conditions did not hold")
        return None

    def _moto(
        self, bucket: str, key: str, query: str, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Hand the request to moto."""
        from werkzeug.datastructures import Headers  # noqa: PLC0415
        from werkzeug.test import EnvironBuilder, run_wsgi_app  # noqa: PLC0415

        headers = {name: text for name, text in self.headers.items() if name.lower() != "host"}
        # The front has checked signatures already; moto would require one for every request.
        headers.setdefault("Authorization", _ANYBODY)
        builder = EnvironBuilder(
            path=f"/{bucket}/{key}" if key else f"/{bucket}",
            query_string=query,
            method=self.command,
            headers=Headers(headers),
            input_stream=io.BytesIO(body),
            base_url="http://localhost/",
        )
        try:
            chunks, status, found = run_wsgi_app(self.server.buckets.app, builder.get_environ())
            data = b"".join(chunks)
        finally:
            builder.close()
        return int(status.split()[0]), {name.lower(): text for name, text in found}, data

    def _complete(
        self,
        bucket: str,
        key: str,
        query: str,
        status: int,
        headers: dict[str, str],
        body: bytes,
        data: bytes,
    ) -> bytes:
        """Add the checksums that moto omits for objects in parts. Return the response's body."""
        if status != 200:  # noqa: PLR2004
            return data
        buckets = self.server.buckets
        parameters = urllib.parse.parse_qs(query, keep_blank_values=True)
        if self.command == "POST" and "uploadId" in parameters:
            parts = [base64.b64decode(each) for each in _PART_CHECKSUM.findall(body)]
            digest = hashlib.sha256(b"".join(parts)).digest()
            checksum = f"{base64.b64encode(digest).decode()}-{len(parts)}"
            buckets.note_composite(bucket, key, checksum)
            end = b"</CompleteMultipartUploadResult>"
            element = f"<ChecksumSHA256>{checksum}</ChecksumSHA256>".encode()
            return data.replace(end, element + end)
        if self.command == "PUT" and "uploadId" not in parameters:
            buckets.note_composite(bucket, key, "")
        elif self.command == "HEAD" and (checksum := buckets.composite(bucket, key)):
            headers[_CHECKSUM] = checksum
        return data

    def _control(self, what: str, body: bytes) -> None:
        """Handle a request of the client: faults, log and reset."""
        answer: object = {}
        match what:
            case "reset":
                self.server.buckets.reset(json.loads(body))
                self.server.faults.replace([])
                self.server.log.take(forget=True)
            case "faults":
                self.server.faults.replace(json.loads(body))
            case "log":
                answer = self.server.log.take()
            case "forget":
                self.server.log.take(forget=True)
        data = json.dumps(answer).encode()
        self._send(200, {"content-type": "application/json"}, data, 0)

    def _refuse(self, status: int, code: str, message: str, clock: float) -> int:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        data = b"" if self.command == "HEAD" else text.encode()
        return self._send(status, {"content-type": "application/xml"}, data, clock)

    def _send(
        self, status: int, headers: dict[str, str], data: bytes, clock: float, *, half: bool = False
    ) -> int:
        self.send_response_only(status)
        length = headers.pop("content-length", None)
        headers["content-length"] = length if self.command == "HEAD" and length else str(len(data))
        headers["date"] = email.utils.formatdate(time.time() + clock, usegmt=True)
        for name, text in headers.items():
            if name not in {"connection", "transfer-encoding"}:
                self.send_header(name, text)
        self.end_headers()
        if self.command == "HEAD":
            self.wfile.flush()
            return status
        end = len(data) // 2 if half else len(data)
        for start in range(0, end, _CHUNK):
            self.wfile.write(data[start : min(start + _CHUNK, end)])
        self.wfile.flush()
        return self._reset() if half else status

    def _reset(self) -> int:
        """Reset the connection."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.shutdown(socket.SHUT_RD)
            self.connection.close()
        except OSError:
            pass
        return 0


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="awstoe_release.rehearsal.server", description=__doc__)
    parser.add_argument(
        "--certificate", help="PEM file with a certificate, for an additional port with TLS"
    )
    parser.add_argument("--key", help="PEM file with its key")
    options = parser.parse_args(arguments)
    try:
        buckets = Buckets()
    except ReleaseFailure as failure:
        print(json.dumps({"error": failure.message, "hint": failure.hint}), flush=True)
        return 1
    faults, log = Faults(), Log()
    fronts = {"http": Front(buckets, faults, log)}
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        fronts["https"] = front = Front(buckets, faults, log)
        front.socket = context.wrap_socket(
            front.socket, server_side=True, do_handshake_on_connect=False
        )
    for front in fronts.values():
        threading.Thread(target=front.serve_forever, daemon=True).start()
    print(json.dumps({name: front.server_address[1] for name, front in fronts.items()}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
