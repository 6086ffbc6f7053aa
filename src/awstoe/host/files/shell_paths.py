"""Recognizes paths that were meant for a shell: ``~/x``, ``$HOME/x``, ``%TEMP%``, ``file://``.

No part of awstoe expands them, so they would be the names of files and folders.
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from awstoe.host import platforms
from awstoe.host.files import paths


class ShellPath(NamedTuple):
    """What a path has that only a shell expands."""

    what: str
    """The part of the path."""
    meant: str | None
    """The path with this part replaced, or None if that is unknown."""


def shell_path(path: str, environment: Mapping[str, str] = os.environ) -> ShellPath | None:
    """Return what in ``path`` only a shell expands, or None.

    A name that exists on disk is not that: a folder may have the name ``~``.
    """
    if os.path.lexists(path):
        return None
    found = paths.unexpanded(path, platforms.current())
    if found is None:
        return None
    value = environment.get(found.variable)
    rest = path[found.start + len(found.shown) :]
    if not value:
        return ShellPath(found.shown, None)
    meant = path[: found.start] + value + rest
    # The values of Windows have backslashes: show a path with one kind of separator.
    return ShellPath(found.shown, meant.replace(os.altsep, os.sep) if os.altsep else meant)


def shell_path_hint(found: ShellPath) -> str:
    """Return what to write instead."""
    if found.meant is None:
        return f"awstoe does not expand '{found.what}': write the path itself"
    return (
        f"write {found.meant}: awstoe does not expand '{found.what}', and no shell does in quotes"
    )


def file_url_path(text: str) -> str | None:
    """Return the path in a ``file:`` URL, or None if ``text`` is not one."""
    if not text.lower().startswith("file:"):
        return None
    from urllib.parse import unquote  # noqa: PLC0415 - only a mistake needs it

    rest = unquote(text[len("file:") :])
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        rest = slash + path if host.lower() in ("", "localhost") else f"{host}{slash}{path}"
    return rest[1:] if re.match(r"/[A-Za-z]:[\\/]", rest) else rest
