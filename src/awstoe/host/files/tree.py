"""Removes whole folders, and on Linux changes their owner and permissions; never follows links."""

import sys

if sys.platform == "win32":
    from awstoe.host.files import tree_windows as _platform
else:
    from awstoe.host.files import tree_linux as _platform

remove = _platform.remove
set_owner = _platform.set_owner
set_permissions = _platform.set_permissions
