"""Checks whether another user could replace what this user makes in a folder.

Who owns one of the folders or links of a path, or may write to a folder that is not sticky, can put
something else there. ``bootloader_folder.h`` of the build judges the folders of a path without
links by the same rules.
"""

import os
import stat
import sys
from typing import Final

if sys.platform == "win32":

    def risk(path: str, *, of_adding: bool = False) -> str:
        """Return who could replace what is made in the folder; always empty on Windows."""
        del path, of_adding
        return ""


else:
    _ACCESS_LIST: Final = "system.posix_acl_access"
    _LINKS: Final = 40
    """Links followed in one path, as in the kernel."""

    def trusted() -> set[int]:
        """Return the users that may replace anything, or whose files these are."""
        # In a container whose root is another user of the machine, that user owns all.
        return {0, os.geteuid(), os.stat("/").st_uid}

    def risk(path: str, *, of_adding: bool = False) -> str:
        """Return who could replace what is made in the folder ``path``; empty if no one can.

        Args:
            path: An absolute path. If the folder does not exist, those above it count.
            of_adding: Whether it counts, too, if another user could only add something to it, as
                in a folder with the sticky bit.
        """
        found = ""
        here = "/"
        parts = path.split("/")[::-1]
        links = 0
        try:
            users = trusted()
            while parts:
                name = parts.pop()
                if name == "..":
                    here = os.path.dirname(here)
                    continue
                inner = os.path.join(here, name)
                info = os.lstat(inner)
                if not stat.S_ISLNK(info.st_mode):
                    here = inner
                    found = _risk_of(here, info, users) or found
                    continue
                links += 1
                if links > _LINKS:
                    return found
                if info.st_uid not in users:
                    found = f"{inner} is a symbolic link of another user (user ID {info.st_uid})"
                target = os.readlink(inner)
                parts += target.split("/")[::-1]
                if target.startswith("/"):
                    here = "/"
            if of_adding:
                found = found or _risk_of(here, os.lstat(here), users, adding=True)
        except OSError:
            pass
        return found

    def _risk_of(
        folder: str, info: os.stat_result, trusted: set[int], *, adding: bool = False
    ) -> str:
        if info.st_uid not in trusted:
            return f"the folder {folder} belongs to another user (user ID {info.st_uid})"
        if info.st_mode & stat.S_ISVTX and not adding:
            return ""
        if info.st_mode & stat.S_IWOTH:
            reason = "" if adding else " (it has no sticky bit)"
            return f"the folder {folder} can be written by all users{reason}"
        if not info.st_mode & stat.S_IWGRP:
            return ""
        # As is usual, a user's own group has the user's number.
        if not info.st_gid == os.getegid() == os.geteuid():
            return f"the folder {folder} can be written by the group with the ID {info.st_gid}"
        if _has_access_list(folder):  # then the group's bits are also the rights of others
            return f"the folder {folder} can be written by users in its access list"
        return ""

    def _has_access_list(folder: str) -> bool:
        try:
            os.getxattr(folder, _ACCESS_LIST)
        except OSError:
            return False
        return True
