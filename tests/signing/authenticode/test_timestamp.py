"""Requesting timestamps: from an honest server, from OpenSSL, and from servers that misbehave."""

import io
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pyasn1.type import univ

from awstoe.trust.authenticode import timestamp as authenticode_timestamp
from awstoe.trust.authenticode.verify import State, verify_file
from awstoe_signing.authenticode.cms import encode, new
from awstoe_signing.authenticode.timestamp import RESPONSE, Server
from awstoe_signing.failure import SigningFailure
from fakes.certificates import NOW, TIME_STAMPING, make, signer, world
from fakes.signed_programs import honest_stamps, sign
from fakes.timestamp_server import Answer, Authority, grant, serve
from fakes.windows_program import make_program

OPENSSL = shutil.which("openssl")
SIGNATURE = b"the value of a signature"
CONFIGURATION = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/stamper.pem
certs = {folder}/root.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def request_timestamp(answer: Answer = grant, authority: Authority | None = None) -> bytes:
    with serve(authority or honest_stamps(), answer) as served:
        server = Server(served.url, [world().stamp_root.certificate], pause=0.001)
        return server.stamp(SIGNATURE, NOW)


def test_an_honest_server_returns_a_timestamp_without_the_root() -> None:
    stamp = authenticode_timestamp.read(request_timestamp(), SIGNATURE)
    assert stamp.time == NOW
    assert set(stamp.certificates) == {world().stamper.certificate, world().stamp_root.certificate}


def test_program_is_stamped_by_a_server() -> None:
    with serve(honest_stamps()) as served:
        server = Server(served.url, [world().stamp_root.certificate])
        program = sign(make_program(), authority=server)
        assert len(served.requests) == 1
    verdict = verify_file(
        io.BytesIO(program),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate],
        now=NOW + timedelta(days=3650),
    )
    assert (verdict.state, verdict.signed_at) == (State.GOOD, NOW)


def test_certificates_that_are_not_needed_are_removed() -> None:
    """Real servers also send cross certificates, which no signature covers."""

    def add(data: univ.Sequence) -> None:
        data["certificates"][2] = world().publisher.certificate.public_bytes(Encoding.DER)

    token = request_timestamp(authority=honest_stamps()._replace(edit_signed=add))
    stamp = authenticode_timestamp.read(token, SIGNATURE)
    assert world().publisher.certificate not in stamp.certificates


def failing(times: int) -> tuple[Answer, list[int]]:
    """A server that answers after a number of failures."""
    calls: list[int] = []

    def answer(authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
        calls.append(1)
        return grant(authority, request) if len(calls) > times else (503, b"later")

    return answer, calls


def test_busy_server_is_tried_again() -> None:
    answer, calls = failing(3)
    request_timestamp(answer)
    assert len(calls) == 4


def test_server_that_limits_requests_is_tried_again_later() -> None:
    calls: list[int] = []

    def answer(authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
        calls.append(1)
        return grant(authority, request) if len(calls) > 1 else (429, b"")

    request_timestamp(answer)
    assert len(calls) == 2


def test_server_that_stays_busy_is_reported() -> None:
    answer, calls = failing(99)
    with pytest.raises(SigningFailure, match="did not answer in 4 attempts: status 503"):
        request_timestamp(answer)
    assert len(calls) == 4


def test_unreachable_server_is_reported() -> None:
    with serve(honest_stamps()) as served:
        pass
    server = Server(served.url, [], pause=0.001)
    with pytest.raises(SigningFailure, match=f"{served.url} did not answer in 4 attempts"):
        server.stamp(SIGNATURE, NOW)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_server_with_an_incomplete_response_is_reported(answer: bytes) -> None:
    class Broken(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.recv(65536)
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Broken) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{served.server_address[1]}/"
        with pytest.raises(SigningFailure, match=f"{url} did not answer in 4 attempts"):
            Server(url, [], pause=0.001).stamp(SIGNATURE, NOW)
        served.shutdown()


@pytest.mark.parametrize(
    "begin",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ids=["header", "body"],
)
def test_server_that_sends_single_bytes_times_out(begin: bytes) -> None:
    ended = threading.Event()

    class Slow(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.recv(65536)
            self.wfile.write(begin)
            while not ended.wait(0.02):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    break

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        server = Server(f"http://127.0.0.1:{served.server_address[1]}/", [], 0.001, total=0.2)
        with pytest.raises(SigningFailure, match=r"was not complete after 0\.2 seconds"):
            server.stamp(SIGNATURE, NOW)
        ended.set()
        served.shutdown()


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/", "http://", "http://[::1/"])
def test_server_with_an_invalid_address_is_not_tried_again(url: str) -> None:
    with pytest.raises(SigningFailure, match="is not a valid address of a timestamp server"):
        Server(url, [], pause=60).stamp(SIGNATURE, NOW)


@pytest.mark.parametrize("end", ["", "{nowhere", ":x"])
def test_password_of_a_server_is_never_printed(end: str) -> None:
    with pytest.raises(SigningFailure) as caught:
        Server(f"http://user:secret@127.0.0.1:1{end}/", [], pause=0.001).stamp(SIGNATURE, NOW)
    assert "timestamp server" in caught.value.message
    assert "secret" not in caught.value.message


def refusing(_authority: Authority, _request: univ.Sequence) -> tuple[int, bytes]:
    response = new(RESPONSE)
    response["status"]["status"] = 2
    return 200, encode(response)


def with_other_nonce(authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
    request["nonce"] = 4711
    return grant(authority, request)


def with_other_imprint(authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
    request["imprint"]["digest"] = bytes(32)
    return grant(authority, request)


def answering(status: int, body: bytes) -> Answer:
    return lambda _authority, _request: (status, body)


MISBEHAVING: dict[str, tuple[Callable[[], Answer], str]] = {
    "rejects the request": (lambda: refusing, "rejected the request: status 2"),
    "answers another request": (lambda: with_other_nonce, "it answers another request"),
    "stamps something else": (lambda: with_other_imprint, "is of another signature"),
    "does not have the page": (lambda: answering(404, b""), "returned status 404"),
    "redirects": (lambda: answering(302, b""), "returned status 302"),
    "never ends": (
        lambda: answering(200, bytes(100_000)),
        "and more than 65536 bytes; expected 200",
    ),
    "returns another format": (
        lambda: answering(200, b"<html></html>"),
        "the response of the timestamp server cannot be read",
    ),
}


@pytest.mark.parametrize("case", MISBEHAVING)
def test_timestamp_is_rejected_if_the_server(case: str) -> None:
    answer, reason = MISBEHAVING[case]
    with pytest.raises(SigningFailure, match=reason):
        request_timestamp(answer())


def test_timestamp_with_another_time_is_rejected() -> None:
    with pytest.raises(SigningFailure, match="its time is 2026-06-01 13:00"):
        request_timestamp(authority=honest_stamps(NOW + timedelta(hours=1)))


def test_timestamp_of_an_unknown_authority_is_rejected() -> None:
    holder = make("Stamper", signer(TIME_STAMPING, critical=True))
    with pytest.raises(SigningFailure, match="does not lead to a trusted authority"):
        request_timestamp(authority=Authority(holder, world().root.certificate))


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_timestamp_of_openssl_is_good(tmp_path: Path) -> None:
    holders = world()
    (tmp_path / "stamper.pem").write_bytes(holders.stamper.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "root.pem").write_bytes(holders.stamp_root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "stamper.key").write_bytes(
        holders.stamper.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "tsa.conf").write_text(CONFIGURATION.format(folder=tmp_path))
    now = datetime.now(UTC)

    def answer(_authority: Authority, request: univ.Sequence) -> tuple[int, bytes]:
        (tmp_path / "request").write_bytes(encode(request))
        subprocess.run(
            [
                *(OPENSSL or "", "ts", "-reply", "-config", str(tmp_path / "tsa.conf")),
                *("-queryfile", str(tmp_path / "request"), "-out", str(tmp_path / "answer")),
            ],
            check=True,
            capture_output=True,
        )
        return 200, (tmp_path / "answer").read_bytes()

    if not holders.stamper.certificate.not_valid_before_utc < now:
        pytest.skip("this machine's clock is before the test's certificates")
    with serve(honest_stamps(), answer) as served:
        token = Server(served.url, [holders.stamp_root.certificate]).stamp(SIGNATURE, now)
    stamp = authenticode_timestamp.read(token, SIGNATURE)
    assert abs(stamp.time - now) < timedelta(minutes=5)
