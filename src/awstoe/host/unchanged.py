"""A file that stays what it is while it is looked at and then used."""

import sys

if sys.platform == "win32":
    from awstoe.host import unchanged_windows as _platform
else:
    from awstoe.host import unchanged_linux as _platform

unchanged = _platform.unchanged
