"""HTTP over real connections: TLS, certificate authorities, proxies."""

import base64
import http.server
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from awstoe.errors import HostError
from awstoe.host.network import ca_certificates, errors, urls
from awstoe.host.network import http as client
from awstoe.host.network.deadline import Deadline, Timeouts
from awstoe.host.network.errors import (
    ConnectionLost,
    DeadlineExceeded,
    HttpStatusError,
    RequestFailed,
    ServerNotTrusted,
)

TIMEOUTS = Timeouts(connect=60, idle=60, total=120)
NAMES = (*ca_certificates.VARIABLES, "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Authority:
    """A company's certificate authority."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {folder.name}")])
        self._folder = folder
        folder.mkdir()
        own = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = folder / "ca.pem"
        pem = serialization.Encoding.PEM
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(pem))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 30
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
        )

    def server(self, *, host: str = "127.0.0.1", days: int = 30) -> ssl.SSLContext:
        """Return a context with a certificate for ``host``."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        alternative: x509.GeneralName
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        made = self._builder(name, key.public_key(), days).add_extension(
            x509.SubjectAlternativeName([alternative]), critical=False
        )
        file = self._folder / f"{host}{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler] = _Handler) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address


class _Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that requires a name and password, and connects to the server for any host."""

    def do_CONNECT(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        if self.headers.get("Proxy-Authorization") != _BASIC:
            self.send_response(407)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        port = self.server.target  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", port)) as target:
            self.send_response(200)
            self.end_headers()
            pair = [self.connection, target]
            while True:
                ready, _, _ = select.select(pair, [], [], 5)
                data = ready[0].recv(65536) if ready else b""
                if not data:
                    break
                (target if ready[0] is self.connection else self.connection).sendall(data)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


_BASIC = "Basic " + base64.b64encode(b"us er:p@ss").decode()


class Place(NamedTuple):
    authority: Authority
    server: _Server
    url: str


def running(server: _Server) -> Iterator[_Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def plain() -> Iterator[_Server]:
    yield from running(_Server())


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Place]:
    authority = Authority(tmp_path / "authority")
    server = _Server()
    server.socket = authority.server().wrap_socket(server.socket, server_side=True)
    for each in running(server):
        yield Place(authority, each, f"https://127.0.0.1:{each.port}/x")


def got(url: str) -> bytes:
    with client.Client(TIMEOUTS).get(url) as answer:
        return b"".join(answer.chunks())


def test_a_response_is_read_and_the_request_has_few_headers(plain: _Server) -> None:
    assert got(f"http://127.0.0.1:{plain.port}/a/b") == b"hello"
    path, headers = plain.seen[0]
    assert path == "/a/b"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == "awstoe"


@pytest.mark.parametrize("variable", ca_certificates.VARIABLES)
def test_a_certificate_authority_of_a_company_is_trusted(
    secure: Place, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(secure.authority.file))
    assert got(secure.url) == b"hello"


def test_the_first_variable_for_certificates_is_used(
    secure: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(secure.authority.file))
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other").file))
    assert got(secure.url) == b"hello"


def test_an_unknown_certificate_authority_is_rejected(secure: Place) -> None:
    with pytest.raises(ServerNotTrusted) as caught:
        got(secure.url)
    assert "certificate is not trusted: unable to get local issuer" in caught.value.message
    assert "AWS_CA_BUNDLE" in str(caught.value.hint)


def test_a_bad_path_for_certificates_is_reported(
    secure: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(HostError, match=r"AWS_CA_BUNDLE: .*missing\.pem: No such file"):
        got(secure.url)
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(empty))
    with pytest.raises(HostError, match=r"empty\.pem contains no PEM certificates"):
        got(secure.url)


@pytest.mark.parametrize(
    ("host", "days", "message"),
    [("other.invalid", 30, "mismatch"), ("127.0.0.1", -5, "has expired")],
)
def test_a_certificate_of_another_host_or_time_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: int, message: str
) -> None:
    authority = Authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    server = _Server()
    context = authority.server(host=host, days=days)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for each in running(server):
        with pytest.raises(ServerNotTrusted, match=message):
            got(f"https://127.0.0.1:{each.port}/")


def test_old_tls_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert ca_certificates.trust_store().context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_server_without_tls_is_reported(plain: _Server) -> None:
    with pytest.raises(RequestFailed, match="no TLS connection"):
        got(f"https://127.0.0.1:{plain.port}/")


@pytest.fixture
def proxy(secure: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    server = _Server(_Proxy)
    server.target = secure.server.port  # type: ignore[attr-defined]
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.authority.file))
    monkeypatch.setenv("HTTPS_PROXY", f"http://us%20er:p%40ss@127.0.0.1:{server.port}")
    yield from running(server)


def test_the_password_is_sent_to_the_proxy(proxy: _Server, secure: Place) -> None:
    assert got(secure.url) == b"hello"
    assert proxy.seen[0][0] == f"127.0.0.1:{secure.server.port}"


def test_the_proxy_is_not_used_for_hosts_in_no_proxy(
    proxy: _Server, secure: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
    assert got(secure.url) == b"hello"
    assert proxy.seen == []


def test_a_proxy_that_requires_a_password_is_reported(
    proxy: _Server, secure: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
    with pytest.raises(RequestFailed) as caught:
        got(secure.url)
    assert "407" in caught.value.message
    assert "secret" not in caught.value.message + str(caught.value.hint)


def test_a_proxy_that_is_down_is_reported(
    secure: Place, monkeypatch: pytest.MonkeyPatch, proxy: _Server
) -> None:
    del proxy
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:1")
    with pytest.raises(RequestFailed, match="the proxy cannot be reached") as caught:
        got(secure.url)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "address", ["http://user:sec#ret@host:1", "http://user:sec/ret@host", "http://user:sec@[::1"]
)
def test_a_proxy_setting_that_is_not_a_url_is_reported(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(RequestFailed, match="the proxy setting in the environment") as caught:
        got("http://releases.invalid/x")
    assert "sec" not in caught.value.message
    assert "%XX" in str(caught.value.hint)


def test_plain_http_uses_its_proxy(plain: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{plain.port}")
    assert got("http://releases.invalid/x") == b"hello"
    assert plain.seen[0][0] == "http://releases.invalid/x"


def test_name_and_password_are_sent_in_any_alphabet(plain: _Server) -> None:
    assert got(f"http://us%20er:p%C5%82ss\u0142@127.0.0.1:{plain.port}/x") == b"hello"
    kind, _, sent = plain.seen[0][1]["Authorization"].partition(" ")
    assert (kind, base64.b64decode(sent).decode()) == ("Basic", "us er:p\u0142ss\u0142")


def test_a_port_without_a_listener_is_reported() -> None:
    with pytest.raises(RequestFailed, match="the server cannot be reached"):
        got("http://127.0.0.1:1/x")


def test_a_host_name_that_does_not_resolve_is_reported() -> None:
    with pytest.raises(RequestFailed, match="the host's name cannot be resolved"):
        got("http://nowhere.invalid/x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:secret@host/a?token=1", "https://host/a"),
        ("https://user:sec@ret@host/a", "https://host/a"),
        ("https://host:8443/a", "https://host:8443/a"),
        ("https://user:sec/ret@host/a#b", "https://...@host/a"),
        ("https://user:sec?ret@host/a", "https://...@host/a"),
        ("https://user:se cret\n@host/a", "https://host/a"),
        ("user:secret@host/a", "host/a"),
        ("https://host/a\x1b[31m", "https://host/a?[31m"),
        ("", ""),
    ],
)
def test_urls_in_messages_contain_no_secret(url: str, expected: str) -> None:
    assert urls.redacted(url) == expected


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("HT\x1b[31mTP\r\n\r\n", "the connection was lost"),
        ("HTTP/1.1 302 Found\r\nLocation: http://a\x1b31m/x\r\n\r\n", "redirects to another host"),
        ("HTTP/1.1 302 Found\r\nLocation: http://[\x1b31m\r\n\r\n", "which is not a valid URL"),
    ],
)
def test_response_cannot_control_the_terminal(answer: str, message: str) -> None:
    class Driving(_Handler):
        def do_GET(self) -> None:
            self.wfile.write(answer.encode())
            self.close_connection = True

    for server in running(_Server(Driving)):
        with pytest.raises(RequestFailed, match=message) as caught:
            got(f"http://127.0.0.1:{server.port}/x")
        assert caught.value.message.isprintable()


def test_error_status_is_in_the_message() -> None:
    class Refusing(_Handler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

    for server in running(_Server(Refusing)):
        with pytest.raises(HttpStatusError, match="got HTTP status 503") as caught:
            got(f"http://127.0.0.1:{server.port}/x")
        assert caught.value.status == 503


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("", 0),
        ("Retry-After: 7\r\n", 7),
        ("Retry-After: soon\r\n", 0),
        ("Retry-After: -1\r\n", 0),
        ("Retry-After: 99999999999999999999\r\n", 0),
        ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0),
        ("Retry-After: Wed, 21 Oct 9015 07:28:00 GMT\r\n", 2e11),
        ("Retry-After: 1 Jan 0001 00:00:00 -0000\r\n", 0),
    ],
)
def test_retry_after_of_a_busy_server_is_read(headers: str, expected: float) -> None:
    class Busy(_Handler):
        def do_GET(self) -> None:
            head = f"HTTP/1.1 429 Busy\r\n{headers}Content-Length: 0\r\n\r\n"
            self.wfile.write(head.encode())
            self.close_connection = True

    for server in running(_Server(Busy)):
        with pytest.raises(HttpStatusError) as caught:
            got(f"http://127.0.0.1:{server.port}/x")
        assert caught.value.is_transient
        assert caught.value.retry_after == pytest.approx(expected, rel=0.2)
        assert ("asks to wait" in caught.value.message) == (expected > 0)


def test_lost_connection_is_transient() -> None:
    class Cutting(_Handler):
        def do_GET(self) -> None:
            self.close_connection = True

    for server in running(_Server(Cutting)):
        with pytest.raises(ConnectionLost) as caught:
            got(f"http://127.0.0.1:{server.port}/x")
        assert caught.value.is_transient


def test_credentials_in_a_url_are_sent_after_redirects_too() -> None:
    class Wanting(_Handler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != _BASIC:
                self.send_response(401)
            elif self.path == "/x":
                self.send_response(302)
                host = self.headers["Host"]
                self.send_header("Location", f"http://{host}/y")
            else:
                super().do_GET()
                return
            self.send_header("Content-Length", "0")
            self.end_headers()

    for server in running(_Server(Wanting)):
        place = f"127.0.0.1:{server.port}/x"
        assert got(f"http://us%20er:p%40ss@{place}") == b"hello"
        with pytest.raises(HttpStatusError, match=f"http://{place}: .* 401") as caught:
            got(f"http://user:secret@{place}")
        assert "NAME:PASSWORD" in str(caught.value.hint)
        assert not caught.value.is_transient


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "[::1", "[nothing]", "ho st", "host:port"])
def test_invalid_url_does_not_show_its_password(host: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        got(f"http://user:secret@{host}/x")
    assert "secret" not in caught.value.message + str(caught.value.hint)
    assert host in caught.value.message


@pytest.mark.parametrize(
    ("duration", "text"), [(0.2, "1 second"), (1, "1 second"), (1.5, "2 seconds"), (0, "0 seconds")]
)
def test_a_duration_is_counted_in_whole_seconds(duration: float, text: str) -> None:
    assert errors.in_seconds(duration) == text
    assert f"after {text}; gave up" in errors.incomplete("http://host/x", duration).message


def test_requests_share_a_deadline(plain: _Server) -> None:
    url = f"http://127.0.0.1:{plain.port}/x"
    http_client = client.Client(TIMEOUTS)
    http_client.deadline = Deadline(60)
    with http_client.get(url) as answer:
        assert b"".join(answer.chunks()) == b"hello"
    http_client.deadline = Deadline(0)
    with pytest.raises(DeadlineExceeded, match="skipped: the 0-second limit"):
        http_client.get(url)
    assert len(plain.seen) == 1
