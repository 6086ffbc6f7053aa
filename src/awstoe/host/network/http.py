"""HTTP for downloads, the only door to it: GET, with limits on everything a server can stretch.

A response is read in pieces. Connecting, silence and the whole exchange each have a time-out; the
last one holds even against a server that sends a byte now and then, headers included, because a
timer cuts the connection. Redirects are followed on the same host only. Certificates are checked
against ``authorities``; proxies come from the environment (on Windows, from its settings as well).
"""

import base64
import email.utils
import math
import re
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

import urllib3
from urllib3 import connection, connectionpool, exceptions

from awstoe.errors import HostError
from awstoe.host.network import ca_certificates, urls
from awstoe.host.network.urls import printable, redacted

_CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = 3
_SHORTEST_SECONDS: Final = 0.001
"""Of a time-out: urllib3 takes no 0."""
_REDIRECT_CODES: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({429, 500, 502, 503, 504})


class Timeouts(NamedTuple):
    """How long a server may take, in seconds."""

    connect: float
    idle: float
    """Between two pieces of an answer."""
    total: float
    """For one request, from its start to the last byte."""


class Deadline:
    """The time that several requests may take together.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; 0 or less when it is over."""
        return self._end - time.monotonic()


class RequestFailed(HostError):
    """A server could not be reached, or did not answer as it must.

    Attributes:
        is_passing: Whether the same request may well succeed a moment later.
    """

    is_passing = False


class ConnectionLost(RequestFailed):
    """The connection ended before the answer did."""

    is_passing = True


class ServerNotTrusted(RequestFailed):
    """The server's certificate is not one that this machine trusts."""


class TimedOut(RequestFailed):
    """The server took longer than it may."""


class DeadlineExceeded(TimedOut):
    """The time for the whole exchange, or that for all exchanges, is over."""


class HttpStatusError(RequestFailed):
    """The server answered with an error.

    Attributes:
        status: The HTTP status code.
        retry_after: The seconds that the server asks to wait before the next request.
    """

    def __init__(
        self, message: str, status: int, *, retry_after: float = 0.0, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after
        self.is_passing = status in _PASSING


class _Watched:
    """Connections of one request, which a timer ends when the total time is over."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def add(self, made: socket.socket) -> None:
        """Watch a connection, also after TLS has taken the socket's descriptor over."""
        twin = made.dup()
        with self._guard:
            self._sockets.append(twin)
            if self.over:
                _shut(twin)

    def _end(self) -> None:
        with self._guard:
            self.over = True
            for each in self._sockets:
                _shut(each)

    def close(self) -> None:
        self._timer.cancel()
        with self._guard:
            for each in self._sockets:
                each.close()
            self._sockets.clear()


def _shut(made: socket.socket) -> None:
    try:
        made.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended by itself


_current: Final = threading.local()
"""The request that is being made, for the connections that urllib3 opens for it."""


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


def _watched(made: socket.socket) -> socket.socket:
    watched: _Watched = _current.watched
    watched.add(made)
    return made


class Response:
    """A response whose head has come; a context manager, as its connection is open."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, url: str, watched: _Watched, total: float
    ) -> None:
        self._response = response
        self._url = url
        self._watched = watched
        self._total = total
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, as sent.

        Raises:
            RequestFailed: It did not come to its end.
            TimedOut: It took too long.
            ConnectionLost: The connection ended.
        """
        try:
            while data := self._response.read(_CHUNK_BYTES, decode_content=False):
                yield data
        except (exceptions.HTTPError, OSError) as error:
            raise _explain(error, self._url, self._watched, self._total, None) from error
        if self._watched.over:
            raise _time_over(self._url, self._total)

    def close(self) -> None:
        """Give up the connection."""
        self._watched.close()
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client:
    """Makes requests; finds proxies and certificate authorities once.

    Args:
        timeouts: For each request.
        user_agent: What servers are told about who asks.

    Attributes:
        deadline: When all requests together must be done; None: no limit but each one's own.
    """

    def __init__(self, timeouts: Timeouts, user_agent: str = "awstoe") -> None:
        self.timeouts = timeouts
        self.deadline: Deadline | None = None
        self._user_agent = user_agent
        self._proxies = urllib.request.getproxies()
        self._trusted: ca_certificates.TrustStore | None = None

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        total: float | None = None,
    ) -> Response:
        """Ask for ``url``; gives the answer when its head has come.

        Args:
            url: ``https://`` or ``http://``; a name and password in it are sent (RFC 7617).
            headers: Sent as well.
            total: Another limit in seconds for the whole exchange.

        Raises:
            HostError: The certificate authorities cannot be loaded.
            RequestFailed: There is no answer, or the proxy's address is none.
            ServerNotTrusted: The server's certificate does not verify.
            TimedOut: It took too long.
            ConnectionLost: The connection ended.
            HttpStatusError: The answer is an error.
        """
        seconds = self.timeouts.total if total is None else total
        if self.deadline is not None:
            seconds = min(seconds, self.deadline.left)
            if seconds <= 0:
                raise DeadlineExceeded(
                    f"{redacted(url)}: skipped: the {math.ceil(self.deadline.seconds)}-second limit"
                    " for all regions has been reached"
                )
        end = time.monotonic() + seconds
        asked, login = _without_login(url)
        given = {**login, **(headers or {})}
        for _ in range(_REDIRECTS + 1):
            left = max(end - time.monotonic(), 0.0)
            answer = self._ask(asked, given, left, seconds)
            if answer.status not in _REDIRECT_CODES:
                return self._checked(answer, asked)
            answer.close()
            asked = _redirected(asked, answer.headers.get("Location", ""))
        raise RequestFailed(
            f"{redacted(url)}: more than {_REDIRECTS} redirects, one after the other"
        )

    def _ask(self, url: str, headers: dict[str, str], left: float, total: float) -> Response:
        given = {"User-Agent": self._user_agent, "Accept-Encoding": "identity", **headers}
        trusted = self._authorities(url)
        manager = self._manager(url, trusted)
        watched = _Watched(left)
        _current.watched = watched
        try:
            response = manager.request(
                "GET",
                url,
                headers=given,
                timeout=urllib3.Timeout(
                    connect=max(min(self.timeouts.connect, left), _SHORTEST_SECONDS),
                    read=self.timeouts.idle,
                ),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (exceptions.HTTPError, OSError, ValueError) as error:
            watched.close()
            raise _explain(error, url, watched, total, trusted) from error
        return Response(response, url, watched, total)

    def _authorities(self, url: str) -> ca_certificates.TrustStore | None:
        """They are loaded when first needed: 10 ms, and not for plain HTTP without a proxy."""
        if self._trusted is None and (
            url.lower().startswith("https:") or str(self._proxy(url)).startswith("https:")
        ):
            self._trusted = ca_certificates.trust_store()
        return self._trusted

    def _manager(self, url: str, trusted: ca_certificates.TrustStore | None) -> urllib3.PoolManager:
        context = trusted.context if trusted else None
        settings: dict[str, Any] = {"num_pools": 2, "ssl_context": context}
        proxy = self._proxy(url)
        manager: urllib3.PoolManager
        if proxy is None:
            manager = urllib3.PoolManager(**settings)
        else:
            try:
                login = urls.credentials(proxy)
                manager = urllib3.ProxyManager(
                    proxy,
                    proxy_headers={"Proxy-Authorization": _basic(login)} if login else None,
                    proxy_ssl_context=context,
                    **settings,
                )
            except (exceptions.HTTPError, ValueError) as error:  # its text may hold the password
                raise RequestFailed(
                    f"{redacted(url)}: the address of the proxy that the environment names is none",
                    hint="expected http://NAME:PASSWORD@HOST:PORT; in name and password write"
                    " special characters as %XX",
                ) from error
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
        return manager

    def _proxy(self, url: str) -> str | None:
        """The proxy for ``url``, if there is one and ``NO_PROXY`` does not except the host."""
        parts = urllib.parse.urlsplit(url)
        found = self._proxies.get(parts.scheme.lower()) or self._proxies.get("all")
        if not found or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        return found if "://" in found else f"http://{found}"

    @staticmethod
    def _checked(answer: Response, url: str) -> Response:
        if answer.status in (200, 206):
            return answer
        answer.close()
        hint = {
            401: "a name and password are wanted: https://NAME:PASSWORD@HOST/PATH",
            407: "the proxy wants a name and password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
        }.get(answer.status)
        wait = _retry_after(answer.headers.get("Retry-After", ""))
        asks = f"; it asks to wait {wait:.0f} seconds" if wait else ""
        raise HttpStatusError(
            f"{redacted(url)}: expected the file, got HTTP status {answer.status}{asks}",
            answer.status,
            retry_after=wait,
            hint=hint,
        )


def _retry_after(value: str) -> float:
    """The seconds that a server asks to wait (RFC 9110, 10.2.3); 0 if it asks for none."""
    if re.fullmatch("[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        return max(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError, OSError):  # the last: Windows, of years before 1970
        return 0.0


def _without_login(url: str) -> tuple[str, Mapping[str, str]]:
    """``url`` without a name and password, and the header that says them.

    Raises:
        RequestFailed: It is no address.
    """
    try:
        login = urls.credentials(url)
        header = {} if login is None else {"Authorization": _basic(login)}
        return urls.without_credentials(url), header
    except ValueError as error:  # its text may hold the password
        raise RequestFailed(f"{redacted(url)} is no address") from error


def _basic(login: str) -> str:
    """``name:password`` as a server is told it (RFC 7617): in UTF-8, as others send it."""
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        RequestFailed: To another host, or to nowhere.
    """
    try:
        target = urllib.parse.urljoin(url, location)
        before, after = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    except ValueError as error:
        raise RequestFailed(
            f"{redacted(url)}: the server redirects to {printable(location)!r}, which is no address"
        ) from error
    if not location or (before.scheme, before.netloc) != (after.scheme, after.netloc):
        named = redacted(f"{after.scheme}://{after.netloc}") if location else "nowhere"
        raise RequestFailed(
            f"{redacted(url)}: the server redirects to another host ({named}); that is refused",
            hint="a captive portal or a proxy may be in between; --url names another place",
        )
    return target


def _time_over(url: str, total: float) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"{redacted(url)}: the answer was not complete after {math.ceil(total)} seconds; gave up",
        hint="try again, or another region",
    )


def _explain(
    error: Exception,
    url: str,
    watched: _Watched,
    total: float,
    trusted: ca_certificates.TrustStore | None,
) -> RequestFailed:
    """``error`` in a person's words."""
    place = redacted(url)
    if watched.over:
        return _time_over(url, total)
    proxy = isinstance(error, exceptions.ProxyError)
    cause = error.original_error if isinstance(error, exceptions.ProxyError) else error
    if isinstance(cause, exceptions.SSLError | ssl.SSLError):
        return _not_trusted(cause, place, trusted)
    if isinstance(cause, exceptions.NameResolutionError):
        what = "the name of the proxy" if proxy else "the host's name"
        return RequestFailed(
            f"{place}: {what} cannot be resolved",
            hint="check the network and DNS; behind a proxy set HTTPS_PROXY",
        )
    if isinstance(cause, exceptions.LocationValueError):  # its text may hold the whole address
        return RequestFailed(f"{place} is no address that can be asked")
    refused = isinstance(cause, exceptions.NewConnectionError)  # a kind of the next one
    if isinstance(cause, exceptions.ConnectTimeoutError) and not refused:
        return TimedOut(
            f"{place}: no connection to {'the proxy' if proxy else 'the host'} within the time",
            hint="check the network; behind a proxy set HTTPS_PROXY",
        )
    if isinstance(cause, exceptions.ReadTimeoutError | TimeoutError):
        return TimedOut(f"{place}: the server fell silent; gave up")
    what = "the proxy" if proxy else "the server"
    if isinstance(cause, exceptions.ProtocolError):
        return ConnectionLost(f"{place}: the connection broke off ({_root(cause)})")
    return RequestFailed(
        f"{place}: {what} cannot be reached ({_root(cause)})",
        hint="check the network and the proxy settings (HTTPS_PROXY, NO_PROXY)",
    )


def _not_trusted(
    error: Exception, place: str, trusted: ca_certificates.TrustStore | None
) -> RequestFailed:
    root = _deepest(error)
    reason = getattr(root, "verify_message", "") or getattr(root, "reason", "") or str(root)
    if not isinstance(root, ssl.SSLCertVerificationError):
        return RequestFailed(
            f"{place}: no TLS connection ({reason})",
            hint="awstoe needs TLS 1.2 or later; a proxy in between may not speak it",
        )
    source = trusted.source if trusted else "this machine's list"
    return ServerNotTrusted(
        f"{place}: the server's certificate is not trusted: {reason} (authorities: {source})",
        hint="behind a proxy that inspects TLS, name its certificate authority's file in"
        " AWS_CA_BUNDLE; check this machine's clock as well",
    )


def _deepest(error: BaseException) -> BaseException:
    found = error
    for _ in range(10):
        inner = found.__cause__ or found.__context__ or _argument(found)
        if inner is None:
            break
        found = inner
    return found


def _argument(error: BaseException) -> BaseException | None:
    return next((each for each in error.args if isinstance(each, BaseException)), None)


def _root(error: BaseException) -> str:
    root = _deepest(error)
    if isinstance(root, exceptions.IncompleteRead):
        return f"{root.partial} bytes came, {root.expected} more were announced"
    words = (root.strerror if isinstance(root, OSError) else None) or str(root).strip()
    return printable(words) or type(root).__name__  # the server's own words may be in it
