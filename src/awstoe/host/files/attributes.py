"""Permissions, owner, times and extended attributes of a file that takes another's place."""

import sys

if sys.platform == "win32":
    from awstoe.host.files import attributes_windows as _platform
else:
    from awstoe.host.files import attributes_linux as _platform

carry_over_owner_and_mode = _platform.carry_over_owner_and_mode
carry_over_everything = _platform.carry_over_everything
carry_over_to_path = _platform.carry_over_to_path
