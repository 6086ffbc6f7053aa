"""What a program's exit code tells besides failure."""

import sys

if sys.platform == "win32":
    from awstoe.host import exit_codes_windows as _platform
else:
    from awstoe.host import exit_codes_linux as _platform

meaning = _platform.meaning
hint = _platform.hint
