"""Users and groups by name or number, and giving files to them (Linux; Windows has no such inputs).

The name service is asked only when a document names an owner: loading it costs start-up time.
"""

import sys

if sys.platform == "win32":
    from awstoe.host import ownership_windows as _platform
else:
    from awstoe.host import ownership_linux as _platform

Owner = _platform.Owner
find_owner = _platform.find_owner
give = _platform.give
