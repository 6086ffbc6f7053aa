"""The steps of an update, and the record from which the next one understands an interrupted one.

The files themselves show what has happened (see ``recovery``). The record adds what they cannot
show: which version and which bytes were to be put in place.
"""

import json
import os
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from awstoe import limits
from awstoe.host.files import plain_files
from awstoe.host.files.own_files import replace_file, sync_path
from awstoe.update.releases import Version


class InstallStep(StrEnum):
    """The steps of an update, in this order. Each is reported when it is done."""

    LOCKED = "locked"
    """The workspace is locked."""
    DECIDED = "decided"
    """The metadata is verified, and the version chosen."""
    DOWNLOADED = "downloaded"
    """The program and its signature are in the workspace, not checked yet."""
    VERIFIED = "verified"
    """The program is what was signed; it may be executed."""
    STARTED = "started"
    """The program has printed its version."""
    ATTRIBUTES_COPIED = "attributes-copied"
    """It has the owner, permissions and labels of the old one."""
    RECORDED = "recorded"
    """The record is written; no run and no other update is in progress."""
    BACKED_UP = "backed-up"
    """The old program has a second name."""
    SWAPPED = "swapped"
    """The new program has the name of the old one."""
    SIGNED = "signed"
    """Its signature is next to it."""
    HEALTHY = "healthy"
    """It has printed its version when started from its final path."""
    COMMITTED = "committed"
    """The old program is now the previous one."""


Listener = Callable[[InstallStep], None]
"""Called after each step."""


class InstallRecord(NamedTuple):
    """What is to be put in place."""

    version: Version
    sha256: str


def write(path: str, record: InstallRecord) -> None:
    """Write the record so that it survives a power failure.

    Raises:
        HostError: It cannot be written.
        OSError: The same, for another reason of the system.
    """
    data = json.dumps({"version": str(record.version), "sha256": record.sha256})
    replace_file(path, [data.encode()])
    sync_path(path)
    sync_path(os.path.dirname(path))


def read(path: str) -> InstallRecord | None:
    """Return the record, or None if it is missing or cannot be read."""
    try:
        data = json.loads(plain_files.read(path, limits.INSTALL_RECORD_BYTES, follow_link=False))
        return InstallRecord(Version(data["version"]), str(data["sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
