"""The cases of the file-system actions, except those that need Linux."""

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
_SLASHES = "it expects paths with slashes"
_ABSOLUTE = "it expects relative paths; on Windows those in a tree are absolute"
ELSEWHERE = {
    "CopyFile/name-is-too-long": "the system has other limits",
    "CopyFile/only-the-star-is-special": "names cannot contain question marks",
    "CopyFile/unprintable-names-are-escaped-in-messages": "names cannot contain tabs",
    "CopyFile/wildcard-matches-several-but-destination-is-not-a-folder": _SLASHES,
    "CopyFolder/a-file-would-replace-a-folder": _ABSOLUTE,
    "CopyFolder/a-folder-would-replace-a-file": _ABSOLUTE,
    "CopyFolder/destination-is-a-file": _ABSOLUTE,
    "DeleteFolder/dots-are-an-error": _SLASHES,
    "ListFiles/a-comma-in-a-name-is-warned-about": _SLASHES,
    "ListFiles/names-that-match": _SLASHES,
    "ListFiles/of-a-folder": _SLASHES,
    "ListFiles/recursive": _SLASHES,
    "MoveFolder/a-file-would-replace-a-folder": _ABSOLUTE,
    "MoveFolder/a-folder-would-replace-a-file": _ABSOLUTE,
}
"""Cases that do not apply to Windows, each with its reason."""

CASES = [
    path
    for path in cases.CASES
    if not ONLY_ON_LINUX.search(path.parent.name + path.read_text(encoding="utf-8"))
    and cases.identify(path) not in ELSEWHERE
]


@pytest.mark.parametrize("path", CASES, ids=cases.identify)
def test_case(path: Path, folder: Path) -> None:
    cases.test_case(path, folder)


def test_the_list_of_other_cases_is_up_to_date() -> None:
    assert set(ELSEWHERE) <= {cases.identify(path) for path in cases.CASES}
