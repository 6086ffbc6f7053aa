"""Renames and removes files and folders.

Windows does not allow this while another program has the file open, as virus scanners and indexers
do for moments: there it is tried again for a while.
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
