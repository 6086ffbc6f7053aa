"""Downloads by HTTP: GET requests, with limits on everything that a server can stretch.

The response is read in pieces. Connecting, silence and the whole exchange each have a timeout; see
``deadline`` for the last one. Redirects are followed on the same host only. Certificates are
checked against ``ca_certificates``. Proxies come from the environment, and on Windows from the
system's settings as well.
"""

import base64
import email.utils
import math
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import urllib3
from urllib3 import exceptions

from awstoe.host.network import ca_certificates, deadline, errors, urls
from awstoe.host.network.deadline import Deadline, Timeouts, WatchedSockets
from awstoe.host.network.errors import DeadlineExceeded, HttpStatusError, RequestFailed
from awstoe.host.network.urls import printable, redacted

_CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = 3
_SHORTEST_SECONDS: Final = 0.001
"""urllib3 does not accept a timeout of 0."""
_REDIRECT_CODES: Final = frozenset({301, 302, 303, 307, 308})


class Response:
    """A response whose headers have arrived. Use it as a context manager to close its connection.

    Attributes:
        status: The HTTP status code.
        headers: By name, in any case.
    """

    def __init__(
        self, response: urllib3.BaseHTTPResponse, url: str, watched: WatchedSockets, total: float
    ) -> None:
        self._response = response
        self._url = url
        self._watched = watched
        self._total = total
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces, as sent.

        Raises:
            RequestFailed: The body is not complete.
            TimedOut: It took too long.
            ConnectionLost: The connection closed.
        """
        try:
            while data := self._response.read(_CHUNK_BYTES, decode_content=False):
                yield data
        except (exceptions.HTTPError, OSError) as error:
            raise _failure(error, self._url, self._watched, self._total, None) from error
        if self._watched.is_over:
            raise errors.incomplete(self._url, self._total)

    def close(self) -> None:
        """Close the connection."""
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
        user_agent: The value of the header of that name.

    Attributes:
        deadline: A limit for all requests together; None: only the limit of each request.
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
        """Send a GET request and return the response once its headers have arrived.

        Args:
            url: ``https://`` or ``http://``; a name and password in it are sent (RFC 7617).
            headers: Additional headers.
            total: A limit in seconds for the whole exchange, instead of ``timeouts.total``.

        Raises:
            HostError: The certificate authorities cannot be loaded.
            RequestFailed: There is no response, or the proxy setting is not a valid URL.
            ServerNotTrusted: The server's certificate does not verify.
            TimedOut: It took too long.
            ConnectionLost: The connection closed.
            HttpStatusError: The response has an error status.
        """
        seconds = self.timeouts.total if total is None else total
        if self.deadline is not None:
            seconds = min(seconds, self.deadline.left)
            if seconds <= 0:
                limit = math.ceil(self.deadline.seconds)
                reason = f"skipped: the {limit}-second limit for all regions has been reached"
                raise DeadlineExceeded(f"{redacted(url)}: {reason}")
        end = time.monotonic() + seconds
        target, authorization = _without_credentials(url)
        all_headers = {**authorization, **(headers or {})}
        for _ in range(_REDIRECTS + 1):
            left = max(end - time.monotonic(), 0.0)
            response = self._send(target, all_headers, left, seconds)
            if response.status not in _REDIRECT_CODES:
                return self._checked(response, target)
            response.close()
            target = _redirected(target, response.headers.get("Location", ""))
        raise RequestFailed(f"{redacted(url)}: more than {_REDIRECTS} redirects in a row")

    def _send(self, url: str, headers: dict[str, str], left: float, total: float) -> Response:
        trusted = self._trust_store(url)
        manager = self._manager(url, trusted)
        watched = WatchedSockets(left)
        watched.watch_this_thread()
        try:
            response = manager.request(
                "GET",
                url,
                headers={
                    "User-Agent": self._user_agent,
                    "Accept-Encoding": "identity",
                    **headers,
                },
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
            raise _failure(error, url, watched, total, trusted) from error
        return Response(response, url, watched, total)

    def _trust_store(self, url: str) -> ca_certificates.TrustStore | None:
        """Load the authorities on first use: it takes 10 ms, and plain HTTP does not need them."""
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
                    f"{redacted(url)}: the proxy setting in the environment is not a valid URL",
                    hint="expected http://NAME:PASSWORD@HOST:PORT; in name and password write"
                    " special characters as %XX",
                ) from error
        manager.pool_classes_by_scheme = deadline.POOL_CLASSES
        return manager

    def _proxy(self, url: str) -> str | None:
        """Return the proxy for ``url``; None if there is none or ``NO_PROXY`` lists the host."""
        parts = urllib.parse.urlsplit(url)
        proxy = self._proxies.get(parts.scheme.lower()) or self._proxies.get("all")
        if not proxy or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    @staticmethod
    def _checked(response: Response, url: str) -> Response:
        if response.status in (200, 206):
            return response
        response.close()
        hint = {
            401: "name and password are required: https://NAME:PASSWORD@HOST/PATH",
            407: "the proxy requires a name and password:"
            " set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
        }.get(response.status)
        wait = _retry_after(response.headers.get("Retry-After", ""))
        request = f"; it asks to wait {errors.in_seconds(wait)}" if wait else ""
        raise HttpStatusError(
            f"{redacted(url)}: expected the file, got HTTP status {response.status}{request}",
            response.status,
            retry_after=wait,
            hint=hint,
        )


def _failure(
    error: Exception,
    url: str,
    watched: WatchedSockets,
    total: float,
    trusted: ca_certificates.TrustStore | None,
) -> RequestFailed:
    if watched.is_over:  # then ``error`` is only what the shutdown of the sockets looks like
        return errors.incomplete(url, total)
    return errors.explain(error, url, trusted.source if trusted else "this machine's list")


def _retry_after(value: str) -> float:
    """Return the seconds that a server asks to wait (RFC 9110, 10.2.3); 0 if it does not ask."""
    if re.fullmatch("[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        return max(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError, OSError):  # OSError: on Windows, for years before 1970
        return 0.0


def _without_credentials(url: str) -> tuple[str, Mapping[str, str]]:
    """Return ``url`` without its credentials, and the header that holds them.

    Raises:
        RequestFailed: It is not a valid URL.
    """
    try:
        login = urls.credentials(url)
        header = {} if login is None else {"Authorization": _basic(login)}
        return urls.without_credentials(url), header
    except ValueError as error:  # its text may hold the password
        raise RequestFailed(f"{redacted(url)} is not a valid URL") from error


def _basic(login: str) -> str:
    """Return the header value for ``name:password`` (RFC 7617), in UTF-8 as other clients do."""
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def _redirected(url: str, location: str) -> str:
    """Return the target of a redirect.

    Raises:
        RequestFailed: It is on another host, or missing.
    """
    try:
        target = urllib.parse.urljoin(url, location)
        before, after = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    except ValueError as error:
        raise RequestFailed(
            f"{redacted(url)}: the server redirects to {printable(location)!r},"
            " which is not a valid URL"
        ) from error
    if not location or (before.scheme, before.netloc) != (after.scheme, after.netloc):
        host = redacted(f"{after.scheme}://{after.netloc}") if location else "nowhere"
        raise RequestFailed(
            f"{redacted(url)}: the server redirects to another host ({host}), which is not allowed",
            hint="check for a captive portal or a proxy on the way, or use --url",
        )
    return target
