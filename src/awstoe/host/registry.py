"""The registry of Windows; other systems have none."""

import sys

if sys.platform == "win32":
    from awstoe.host import registry_windows as _platform
else:
    from awstoe.host import registry_linux as _platform

set_value = _platform.set_value
