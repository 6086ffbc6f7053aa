"""Checks whether other users could add something to a folder, or replace what is in it.

What such a folder contains must not be run. A link is judged by where it leads.
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
    from awstoe.host.files import trusted_paths

    def possible(folder: str) -> bool:
        """Whether other users could add or replace something in a folder, or the folder itself.

        Raises:
            OSError: The folder does not exist.
        """
        return bool(trusted_paths.risk(os.path.realpath(folder, strict=True), of_adding=True))
