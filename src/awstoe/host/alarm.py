"""Stops code that has been running for too long; in the main thread only."""

import sys

if sys.platform == "win32":
    from awstoe.host import alarm_windows as _platform
else:
    from awstoe.host import alarm_linux as _platform

alarm = _platform.alarm
