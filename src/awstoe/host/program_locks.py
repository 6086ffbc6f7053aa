"""A lock on a program's own file: shared by those who run it, exclusive for who replaces it.

The system releases it when its holder ends. It is no lock file that could be left behind, and it
goes with the file: whoever runs a file that has been replaced holds nothing up.
"""

import sys

if sys.platform == "win32":
    from awstoe.host import program_locks_windows as _platform
else:
    from awstoe.host import program_locks_linux as _platform

own_program = _platform.own_program
share = _platform.share
exclude = _platform.exclude
