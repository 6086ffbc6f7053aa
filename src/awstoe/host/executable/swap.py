"""Replaces an executable that may be running."""

import sys

if sys.platform == "win32":
    from awstoe.host.executable import swap_windows as _platform
else:
    from awstoe.host.executable import swap_linux as _platform

Privileges = _platform.Privileges
inspect = _platform.inspect
preserve_attributes = _platform.preserve_attributes
keep = _platform.keep
replace = _platform.replace
remove = _platform.remove
owners = _platform.owners
"""How to find the package that owns a file: a command for each package manager, and its upgrade."""
suffixed = _platform.suffixed
