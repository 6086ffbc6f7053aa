"""Gives files and folders another name or takes the name away, in the system's manner.

Windows refuses this while another program has the file open, which virus scanners and indexers do
for moments: there it is tried again for a while.
"""

import sys

if sys.platform == "win32":
    from awstoe.host.files import renaming_windows as _platform
else:
    from awstoe.host.files import renaming_linux as _platform

replace = _platform.replace
rename = _platform.rename
rename_noreplace = _platform.rename_noreplace
unlink = _platform.unlink
rmdir = _platform.rmdir
place_link = _platform.place_link
