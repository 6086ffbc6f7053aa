"""The cases of the file-system actions, as far as they are not about what only Linux has."""

import re
import sys
from pathlib import Path

import pytest

from actions import test_actions as cases

assert sys.platform == "win32"

folder = cases.folder

ONLY_ON_LINUX = re.compile(
    "link|fifo|mode|owner|root|umask|group|permissions|/proc|/dev|half", re.IGNORECASE
)
_SLASHES = "the paths that it expects are joined by slashes"
_ABSOLUTE = "the paths that it expects are relative; here those of a tree are told in full"
ELSEWHERE = {
    "CopyFile/name-is-too-long": "the system's limits are others",
    "CopyFile/only-the-star-is-special": "no name holds a question mark",
    "CopyFile/unprintable-names-are-escaped-in-messages": "no name holds a tab",
    "CopyFile/wildcard-matches-several-but-destination-is-no-folder": _SLASHES,
    "CopyFolder/a-file-would-replace-a-folder": _ABSOLUTE,
    "CopyFolder/a-folder-would-replace-a-file": _ABSOLUTE,
    "CopyFolder/destination-is-a-file": _ABSOLUTE,
    "DeleteFolder/dots-are-refused": _SLASHES,
    "ListFiles/a-comma-in-a-name-is-warned-about": _SLASHES,
    "ListFiles/names-that-match": _SLASHES,
    "ListFiles/of-a-folder": _SLASHES,
    "ListFiles/recursive": _SLASHES,
    "MoveFolder/a-file-would-replace-a-folder": _ABSOLUTE,
    "MoveFolder/a-folder-would-replace-a-file": _ABSOLUTE,
}
"""Cases that cannot hold here, each with its reason."""

CASES = [
    path
    for path in cases.CASES
    if not ONLY_ON_LINUX.search(path.parent.name + path.read_text(encoding="utf-8"))
    and cases.identify(path) not in ELSEWHERE
]


@pytest.mark.parametrize("path", CASES, ids=cases.identify)
def test_case(path: Path, folder: Path) -> None:
    cases.test_case(path, folder)


def test_the_list_of_those_that_cannot_hold_is_up_to_date() -> None:
    assert set(ELSEWHERE) <= {cases.identify(path) for path in cases.CASES}
