"""Tells whether other users could replace what is in a folder.

What such a folder contains must not be run: while this program looks at it, it may become another
user's. ``bootloader_folder.h`` of the build decides by the same rules where to unpack.
"""

import os
import sys

if sys.platform == "win32":
    from awstoe.host.files import access_lists_windows

    def possible(folder: str) -> bool:
        """Whether other users could replace something in a folder, or the folder itself.

        The folders that lead to it are not checked: what is below one that others may change
        inherits that.

        Raises:
            OSError: The folder does not exist, or its access list cannot be read.
        """
        return access_lists_windows.others_may_replace(os.path.realpath(folder, strict=True))


else:
    import stat

    _ACCESS_LIST = "system.posix_acl_access"

    def possible(folder: str) -> bool:
        """Whether other users could replace something in a folder, or the folder itself.

        Raises:
            OSError: The folder does not exist.
        """
        system = os.stat("/").st_uid  # in a user namespace, it may be another number than 0
        trusted = {0, os.geteuid(), system}
        return any(_possible(each, os.lstat(each), trusted) for each in _levels(folder))

    def _possible(folder: str, facts: os.stat_result, trusted: set[int]) -> bool:
        if facts.st_uid not in trusted:
            return True
        if facts.st_mode & stat.S_ISVTX:  # others cannot rename what is not theirs
            return False
        if facts.st_mode & stat.S_IWOTH:
            return True
        return bool(facts.st_mode & stat.S_IWGRP) and not _is_own_group(folder, facts)

    def _is_own_group(folder: str, facts: os.stat_result) -> bool:
        """Whether the group is this user's alone: as is usual, it has the user's number."""
        if not facts.st_gid == os.getegid() == os.geteuid():
            return False
        try:
            os.getxattr(folder, _ACCESS_LIST)
        except OSError:
            return True
        return False  # the group's bits stand for the rights of others too

    def _levels(folder: str) -> list[str]:
        """Return a folder and those that lead to it, without links, the root first."""
        path = os.path.realpath(folder, strict=True)
        levels = [path]
        while (parent := os.path.dirname(path)) != path:
            levels.append(parent)
            path = parent
        return levels[::-1]
