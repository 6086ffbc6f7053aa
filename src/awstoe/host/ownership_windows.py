"""The Windows side of ownership: documents that name an owner are refused before they run."""

import sys
from typing import NamedTuple

from awstoe.errors import ActionError

assert sys.platform == "win32"


class Owner(NamedTuple):
    """Numeric ids; there are none on Windows."""

    user: int
    group: int


def find_owner(owner: str | None, group: str | None, *, primary_group: bool) -> Owner:
    """Refuse: Windows has no numeric owners.

    Raises:
        ActionError: Always.
    """
    del primary_group
    raise ActionError(
        f"owner {owner!r} and group {group!r} cannot be set on Windows",
        hint="use icacls in an ExecutePowerShell step",
    )


def give(file: str | int, owner: Owner) -> None:
    """Never reached: ``find_owner`` gives no owner."""
    del file, owner
