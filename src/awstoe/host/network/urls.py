"""Takes credentials out of URLs, and shows URLs without secrets."""

import re
import urllib.parse
from typing import Final

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*://)?(.*@)?([^?#]*)", re.IGNORECASE | re.DOTALL)


def redacted(url: str) -> str:
    """Return ``url`` for a message: without credentials and without a query.

    The URL may be malformed, and a password may contain characters that end the host in others. So
    everything before the last @ is removed, and "..." marks that it may have been more than
    credentials.
    """
    match = _URL.match(url)
    scheme, before, rest = match.groups("") if match else ("", "", "")
    return printable(scheme + ("...@" if re.search("[/?#]", before) else "") + rest)


def printable(text: str) -> str:
    """Return a server's text without characters that could control the terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def credentials(url: str) -> str | None:
    """Return the credentials in a URL as ``name:password``; None if it has no name.

    Raises:
        ValueError: It is not a valid URL.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return None
    name, password = map(urllib.parse.unquote, (parts.username, parts.password or ""))
    return f"{name}:{password}"


def without_credentials(url: str) -> str:
    """Return ``url`` without credentials.

    Raises:
        ValueError: It is not a valid URL.
    """
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
