"""The machine that builds: what its programs need of the environment, and how they give way."""

import sys

if sys.platform == "win32":
    from awstoe_build import build_machine_windows as _platform
else:
    from awstoe_build import build_machine_linux as _platform

KEPT_VARIABLES = _platform.KEPT_VARIABLES
PRIORITY_FLAGS = _platform.PRIORITY_FLAGS
giving_way = _platform.giving_way
system_path = _platform.system_path
