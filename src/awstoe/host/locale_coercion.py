"""Undoes a change that Python makes to the environment when it starts.

In the C locale, an interpreter sets ``LC_CTYPE`` to a locale with UTF-8 (PEP 538), for itself and
for the programs that it starts. This program uses UTF-8 in any case, and programs that a document
starts must get the caller's environment. A frozen program's interpreter does not change it.
"""

import os
from typing import Final

_COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")


def undo() -> None:
    """Give ``LC_CTYPE`` the caller's value again."""
    if os.environ.get("LC_CTYPE") not in _COERCED:
        return
    try:
        with open("/proc/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:  # a chroot without /proc, or Windows
        return
    name = b"LC_CTYPE="
    found = next((each for each in given if each.startswith(name)), None)
    if found is None:
        del os.environ["LC_CTYPE"]
    else:
        os.environ["LC_CTYPE"] = os.fsdecode(found.removeprefix(name))
