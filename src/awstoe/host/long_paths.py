"""Paths that are longer than a system takes in their usual form."""

import sys

if sys.platform == "win32":
    from awstoe.host import long_paths_windows as _platform
else:
    from awstoe.host import long_paths_linux as _platform

usable = _platform.usable
deep = _platform.deep
