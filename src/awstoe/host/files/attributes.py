"""Copies permissions, owner, times and extended attributes to a file that replaces another."""

import sys

if sys.platform == "win32":
    from awstoe.host.files import attributes_windows as _platform
else:
    from awstoe.host.files import attributes_linux as _platform

preserve_owner_and_mode = _platform.preserve_owner_and_mode
preserve_everything = _platform.preserve_everything
preserve_on_path = _platform.preserve_on_path
