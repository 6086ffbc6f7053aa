"""The steps of an update, and the note from which an interrupted one is understood.

What has happened is seen by the files themselves (``recovery``); the note only adds what they
cannot tell: which version and which bytes were to be put in place.
"""

import json
import os
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from awstoe.host.files.own_files import replace_file, sync_path
from awstoe.update.releases import Version


class InstallStep(StrEnum):
    """What an update has just done, in this order."""

    LOCKED = "locked"
    """The private folder is ours."""
    DECIDED = "decided"
    """The metadata is verified, and the version chosen."""
    DOWNLOADED = "downloaded"
    """The program and its signature are there, unchecked."""
    VERIFIED = "verified"
    """They are what was signed; the program may be executed."""
    STARTED = "started"
    """It has told its version."""
    ATTRIBUTES_COPIED = "attributes-copied"
    """It has the owner, permissions and labels of the old one."""
    RECORDED = "recorded"
    """The note is written; no run and no other update is going on."""
    BACKED_UP = "backed-up"
    """The old program has a second name."""
    SWAPPED = "swapped"
    """The new program has the name of the old one."""
    SIGNED = "signed"
    """Its signature lies beside it."""
    HEALTHY = "healthy"
    """It has told its version from its place."""
    COMMITTED = "committed"
    """The old one is the previous one."""


Listener = Callable[[InstallStep], None]
"""Told after each step."""


class InstallRecord(NamedTuple):
    """What is to be put in place."""

    version: Version
    sha256: str


def write(path: str, note: InstallRecord) -> None:
    """Write the note so that it outlasts a power failure.

    Raises:
        HostError: It cannot be written.
        OSError: The disk refused.
    """
    data = json.dumps({"version": str(note.version), "sha256": note.sha256})
    replace_file(path, [data.encode()])
    sync_path(path)
    sync_path(os.path.dirname(path))


def read(path: str) -> InstallRecord | None:
    """The note; None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            data = json.load(file)
        return InstallRecord(Version(data["version"]), str(data["sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
