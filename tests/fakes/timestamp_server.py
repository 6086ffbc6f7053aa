"""A timestamp authority (RFC 3161): valid and forged tokens, and a server for them."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyasn1.type import univ

from awstoe.trust.authenticode import asn1
from awstoe_signing.authenticode.cms import (
    content_info,
    digest_info,
    encode,
    make_signed_data,
    new,
    octets,
)
from awstoe_signing.authenticode.timestamp import REQUEST, RESPONSE
from fakes.certificates import NOW, Holder

POLICY = "1.3.6.1.4.1.311.3.99.1"

Edit = Callable[[univ.Sequence], None]


class Authority(NamedTuple):
    """An ``Authority`` of the signing tool that stamps in this process, without a server."""

    holder: Holder
    root: x509.Certificate
    time: datetime = NOW
    edit_info: Edit | None = None
    """Changes the token before it is signed."""
    edit_signed: Edit | None = None
    """Changes the token after it was signed."""
    names: x509.Certificate | None = None
    """The certificate that the signed attributes name; the holder's by default."""
    kind: str = asn1.TST_INFO_TYPE

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        return [self.root]

    def stamp(self, signature: bytes, now: datetime) -> bytes:
        del now
        return self.answer(digest_info(signature), None)

    def answer(self, imprint: univ.Sequence, nonce: int | None) -> bytes:
        info = new(asn1.TST_INFO)
        info["version"] = 1
        info["policy"] = POLICY
        info["imprint"] = imprint
        info["serial"] = 7
        info["time"] = f"{self.time:%Y%m%d%H%M%SZ}"
        info["accuracy"]["seconds"] = 1
        if nonce is not None:
            info["nonce"] = nonce
        if self.edit_info:
            self.edit_info(info)
        named = new(asn1.ESS_CERTIFICATES_V2)
        certificate = self.names or self.holder.certificate
        named["certificates"][0]["hash"] = certificate.fingerprint(hashes.SHA256())
        data = make_signed_data(
            self.kind,
            octets(encode(info)),
            signer=self.holder.signer,
            certificates=[self.holder.certificate, self.root],
            attributes={asn1.ESS_CERTIFICATE_V2: encode(named)},
            version=3,
        )
        if self.edit_signed:
            self.edit_signed(data)
        return content_info(data)


class Served(NamedTuple):
    """A running server."""

    url: str
    requests: list[bytes]


Answer = Callable[[Authority, univ.Sequence], tuple[int, bytes]]


def grant(authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
    """Return the response of an honest server."""
    nonce = int(request["nonce"]) if request["nonce"].isValue else None
    response = new(RESPONSE)
    response["status"]["status"] = 0
    response["token"] = authority.answer(request["imprint"], nonce)
    return 200, encode(response)


@contextmanager
def serve(authority: Authority, answer: Answer = grant) -> Iterator[Served]:
    """Serve timestamps on this machine while the context lasts."""
    requests: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            requests.append(body)
            status, data = answer(authority, asn1.decode(body, REQUEST, "request"))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}/stamp", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sha1_imprint(info: univ.Sequence) -> None:
    """Change the timestamped digest to a SHA-1 digest."""
    info["imprint"]["algorithm"]["algorithm"] = "1.3.14.3.2.26"
    info["imprint"]["digest"] = hashlib.sha1(b"x").digest()
