"""Tells whether another user could replace what this user makes in a folder.

Who owns one of the folders of a path, or may write to one that is not sticky, can rename what is in
it and put something else there.
"""

import os
import stat
import sys

if sys.platform == "win32":

    def risk(path: str) -> str:
        """Return who could replace what is made in the folder; always empty on Windows."""
        del path
        return ""

    def is_planted(link: str) -> bool:
        """Whether another user has put the link there to mislead others; never on Windows."""
        del link
        return False


else:

    def risk(path: str) -> str:
        """Return who could replace what is made in the folder ``path``; empty if nobody can.

        Args:
            path: A folder. If it does not exist, there is no risk: nothing can be made in it.
        """
        trusted = {0, os.geteuid()}
        try:
            # In a container whose root is another user of the machine, that user owns all.
            trusted.add(os.stat("/").st_uid)
            folder = os.path.realpath(path)
            while True:
                found = _risk_of(folder, os.stat(folder), trusted)
                if found or folder == "/":
                    return found
                folder = os.path.dirname(folder)
        except OSError:
            return ""

    def _risk_of(folder: str, info: os.stat_result, trusted: set[int]) -> str:
        if info.st_uid not in trusted:
            return f"the folder {folder} belongs to another user (user ID {info.st_uid})"
        if info.st_mode & stat.S_ISVTX:
            return ""
        if info.st_mode & stat.S_IWOTH:
            return f"the folder {folder} can be written by all users (it has no sticky bit)"
        if info.st_mode & stat.S_IWGRP and info.st_gid not in (0, os.getegid()):
            return f"the folder {folder} can be written by the group with the ID {info.st_gid}"
        return ""

    def is_planted(link: str) -> bool:
        """Whether another user has put the link into a folder that everybody may write to.

        The kernel does not follow such links if ``fs.protected_symlinks`` is set: they are how one
        user makes another one overwrite a file of theirs.

        Raises:
            OSError: It cannot be inspected.
        """
        above = os.stat(os.path.dirname(link) or os.curdir)
        shared = above.st_mode & stat.S_ISVTX and above.st_mode & stat.S_IWOTH
        return bool(shared) and os.lstat(link).st_uid not in (os.geteuid(), above.st_uid)
