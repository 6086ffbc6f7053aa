"""A lock on a file that the operating system releases when its holder ends, however it ends."""

import sys

if sys.platform == "win32":
    from awstoe.host import locks_windows as _platform
else:
    from awstoe.host import locks_linux as _platform

acquire = _platform.acquire
remove = _platform.remove
