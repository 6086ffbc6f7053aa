"""Users and groups on Linux."""

import grp
import os
import pwd
import sys
from typing import Final, NamedTuple

from awstoe.errors import ActionError

assert sys.platform == "linux"

_LARGEST_ID: Final = 2**32 - 2
"""The one above means "leave it as it is" to the kernel."""
UNCHANGED: Final = -1


class Owner(NamedTuple):
    """Numeric ids; -1 leaves the present one."""

    user: int
    group: int


def find_owner(owner: str | None, group: str | None, *, primary_group: bool) -> Owner:
    """The ids behind names or numbers.

    Args:
        owner: A user's name or number.
        group: A group's name or number.
        primary_group: Without ``group``, take the user's own; otherwise leave the present one.

    Raises:
        ActionError: No such user or group.
    """
    user = UNCHANGED if owner is None else _user(owner)
    if group is not None:
        return Owner(user, _group(group))
    if not primary_group or owner is None:
        return Owner(user, UNCHANGED)
    try:
        return Owner(user, pwd.getpwuid(user).pw_gid)
    except KeyError:
        raise ActionError(
            f"no user has the id {owner}, so their primary group is unknown",
            hint="give the group as well",
        ) from None


def _user(owner: str) -> int:
    try:
        return pwd.getpwnam(owner).pw_uid
    except KeyError:
        return _number(owner, "user", "getent passwd lists the users; create one with useradd")


def _group(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return _number(group, "group", "getent group lists the groups; create one with groupadd")


def _number(text: str, what: str, hint: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID:
        return int(text)
    raise ActionError(f"there is no {what} {text!r} on this machine", hint=hint)


def give(file: str | int, owner: Owner) -> None:
    """Change the owner of a path (of what a link there leads to) or of an open file.

    Raises:
        OSError: The system refused.
    """
    os.chown(file, owner.user, owner.group)
