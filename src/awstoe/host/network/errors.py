"""What can go wrong with an HTTP request, and what urllib3's exceptions mean for a user."""

import math
import ssl
from typing import Final

from urllib3 import exceptions

from awstoe.errors import HostError
from awstoe.host.network.urls import printable, redacted

_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})


class RequestFailed(HostError):
    """A server could not be reached, or did not send the expected response.

    Attributes:
        is_transient: Whether the same request may succeed a moment later.
    """

    is_transient = False


class ConnectionLost(RequestFailed):
    """The connection closed before the response was complete."""

    is_transient = True


class ServerNotTrusted(RequestFailed):
    """This machine does not trust the server's certificate."""


class TimedOut(RequestFailed):
    """The server took too long."""


class DeadlineExceeded(TimedOut):
    """The time for the whole exchange, or for all exchanges together, is up."""


class HttpStatusError(RequestFailed):
    """The server returned an error status.

    Attributes:
        status: The HTTP status code.
        retry_after: How many seconds the server asks clients to wait before they try again.
    """

    def __init__(
        self, message: str, status: int, *, retry_after: float = 0.0, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after
        self.is_transient = status in _TRANSIENT


def incomplete(url: str, seconds: float) -> DeadlineExceeded:
    """Return the error for a response that was not complete after ``seconds``."""
    return DeadlineExceeded(
        f"{redacted(url)}: the response was not complete after {in_seconds(seconds)}; gave up",
        hint="try again, or use another region",
    )


def in_seconds(duration: float) -> str:
    """Return a duration as text, rounded up to whole seconds."""
    number = math.ceil(duration)
    return f"{number} second" if number == 1 else f"{number} seconds"


def explain(error: Exception, url: str, authorities: str) -> RequestFailed:
    """Return ``error`` of urllib3 as text for a user.

    Args:
        error: What the request to ``url`` raised.
        url: With or without credentials.
        authorities: Where the certificate authorities come from.
    """
    place = redacted(url)
    is_proxy = isinstance(error, exceptions.ProxyError)
    cause = error.original_error if isinstance(error, exceptions.ProxyError) else error
    if isinstance(cause, exceptions.SSLError | ssl.SSLError):
        return _tls_failure(cause, place, authorities)
    if isinstance(cause, exceptions.NameResolutionError):
        what = "the proxy's name" if is_proxy else "the host's name"
        return RequestFailed(
            f"{place}: {what} cannot be resolved",
            hint="check the network and DNS; behind a proxy set HTTPS_PROXY",
        )
    if isinstance(cause, exceptions.LocationValueError):  # its text may hold the whole URL
        return RequestFailed(f"{place} is not a valid URL")
    # NewConnectionError is a subclass of ConnectTimeoutError.
    is_refused = isinstance(cause, exceptions.NewConnectionError)
    if isinstance(cause, exceptions.ConnectTimeoutError) and not is_refused:
        return TimedOut(
            f"{place}: timed out connecting to {'the proxy' if is_proxy else 'the host'}",
            hint="check the network; behind a proxy set HTTPS_PROXY",
        )
    if isinstance(cause, exceptions.ReadTimeoutError | TimeoutError):
        return TimedOut(f"{place}: the server stopped sending data; gave up")
    if isinstance(cause, exceptions.ProtocolError):
        return ConnectionLost(f"{place}: the connection was lost ({_root(cause)})")
    what = "the proxy" if is_proxy else "the server"
    return RequestFailed(
        f"{place}: {what} cannot be reached ({_root(cause)})",
        hint="check the network and the proxy settings (HTTPS_PROXY, NO_PROXY)",
    )


def _tls_failure(error: Exception, place: str, authorities: str) -> RequestFailed:
    root = _deepest(error)
    reason = getattr(root, "verify_message", "") or getattr(root, "reason", "") or str(root)
    if not isinstance(root, ssl.SSLCertVerificationError):
        return RequestFailed(
            f"{place}: no TLS connection ({reason})",
            hint="awstoe needs TLS 1.2 or later; check that a proxy on the way supports it",
        )
    return ServerNotTrusted(
        f"{place}: the server's certificate is not trusted: {reason} (authorities: {authorities})",
        hint="behind a proxy that inspects TLS, set AWS_CA_BUNDLE to the file of its certificate"
        " authority; check this machine's clock as well",
    )


def _deepest(error: BaseException) -> BaseException:
    deepest = error
    for _ in range(10):
        inner = deepest.__cause__ or deepest.__context__ or _argument(deepest)
        if inner is None:
            break
        deepest = inner
    return deepest


def _argument(error: BaseException) -> BaseException | None:
    return next((each for each in error.args if isinstance(each, BaseException)), None)


def _root(error: BaseException) -> str:
    root = _deepest(error)
    if isinstance(root, exceptions.IncompleteRead):
        return f"received {root.partial} bytes, {root.expected} more were announced"
    text = (root.strerror if isinstance(root, OSError) else None) or str(root).strip()
    return printable(text) or type(root).__name__  # the server's own text may be in it
