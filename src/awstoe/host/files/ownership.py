"""Finds users and groups by name or number, and changes the owner of files (Linux only).

It queries the system's name service, which may be slow, only for steps that set an owner.
"""

import os
import sys
from typing import Final, NamedTuple

from awstoe.errors import ActionError
from awstoe.host.files import targets


class Owner(NamedTuple):
    """A user ID and a group ID; -1 keeps the present one."""

    user: int
    group: int


if sys.platform == "win32":

    def find_owner(owner: str | None, group: str | None, *, primary_group: bool) -> Owner:
        """Raise an error: Windows has no numeric owners.

        Raises:
            ActionError: Always.
        """
        del primary_group
        raise ActionError(
            f"owner {owner!r} and group {group!r} cannot be set on Windows",
            hint="use icacls in an ExecutePowerShell step",
        )

    def give(file: str | int, owner: Owner) -> None:
        """Do nothing; never reached, as ``find_owner`` returns no owner."""
        del file, owner


else:
    import grp
    import pwd

    _LARGEST_ID: Final = 2**32 - 2
    """The kernel reads the next higher number as -1."""
    _UNCHANGED: Final = -1

    def find_owner(owner: str | None, group: str | None, *, primary_group: bool) -> Owner:
        """Return the IDs of a user and a group.

        Args:
            owner: A user's name or number.
            group: A group's name or number.
            primary_group: Without ``group``, use the user's own instead of keeping the present one.

        Raises:
            ActionError: No such user or group.
        """
        user = _UNCHANGED if owner is None else _user(owner)
        if group is not None:
            return Owner(user, _group(group))
        if not primary_group or owner is None:
            return Owner(user, _UNCHANGED)
        try:
            return Owner(user, pwd.getpwuid(user).pw_gid)
        except KeyError:
            raise ActionError(
                f"no user has the ID {owner}, so their primary group is unknown",
                hint="set the group as well",
            ) from None

    def _user(owner: str) -> int:
        try:
            return pwd.getpwnam(owner).pw_uid
        except KeyError:
            return _id(owner, "user", "getent passwd lists the users; create one with useradd")

    def _group(group: str) -> int:
        try:
            return grp.getgrnam(group).gr_gid
        except KeyError:
            return _id(group, "group", "getent group lists the groups; create one with groupadd")

    def _id(text: str, what: str, hint: str) -> int:
        if text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID:
            return int(text)
        raise ActionError(f"there is no {what} {text!r} on this machine", hint=hint)

    def give(file: str | int, owner: Owner) -> None:
        """Change the owner of an open file, or of what a path leads to.

        Raises:
            ActionError: A link of another user is misleading.
            OSError: The system does not allow it.
        """
        if isinstance(file, int):
            os.chown(file, owner.user, owner.group)
            return
        with targets.held(file) as held:
            os.chown(held, owner.user, owner.group)
