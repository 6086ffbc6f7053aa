"""Addresses of servers: the secrets in them, and how they are shown without."""

import re
import urllib.parse
from typing import Final

_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]*://)?(.*@)?([^?#]*)", re.IGNORECASE | re.DOTALL)


def redacted(url: str) -> str:
    """``url`` for a message: without a name and password, and without a query.

    It may be malformed, and a password hold what ends the host elsewhere: whatever stands before
    the last @ is left out, with a mark if that may have been more than name and password.
    """
    found = _ADDRESS.match(url)
    scheme, before, rest = found.groups("") if found else ("", "", "")
    return printable(scheme + ("...@" if re.search("[/?#]", before) else "") + rest)


def printable(text: str) -> str:
    """``text`` of a server, which must not drive the terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def credentials(url: str) -> str | None:
    """The name and password in an address, as ``name:password``; None if there is no name.

    Raises:
        ValueError: It is no address.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return None
    name, password = map(urllib.parse.unquote, (parts.username, parts.password or ""))
    return f"{name}:{password}"


def without_credentials(url: str) -> str:
    """``url`` without a name and password.

    Raises:
        ValueError: It is no address.
    """
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
