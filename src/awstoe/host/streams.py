"""What systems do differently with the standard streams."""

import sys

if sys.platform == "win32":
    from awstoe.host import streams_windows as _platform
else:
    from awstoe.host import streams_linux as _platform

make_blocking = _platform.make_blocking
nobody_reads = _platform.nobody_reads
