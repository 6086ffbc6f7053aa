"""Users and groups by name or number, and giving files to them (Linux; Windows has no such inputs).

The name service is asked only when a document names an owner: loading it costs start-up time.
"""

import os
import sys
from typing import Final, NamedTuple

from awstoe.errors import ActionError

if sys.platform == "win32":
    # The Windows side of ownership: documents that name an owner are refused before they run.

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


else:
    # Users and groups on Linux.
    import grp
    import pwd

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
            return _number(
                group, "group", "getent group lists the groups; create one with groupadd"
            )

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
