"""A condition that cannot be decided fails its step with the reason; it is not false."""

import os
from pathlib import Path

import pytest

from cli.running import Step, Toe, action, bash

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
DENIED = "permission denied"
CIRCLE = "symbolic links form a circle"
UNDECIDED: dict[str, tuple[dict[str, str], str]] = {
    "FileInALockedFolder": ({"fileExists": "locked/f"}, DENIED),
    "FolderInALockedFolder": ({"folderExists": "locked/d"}, DENIED),
    "ProgramInALockedFolder": ({"binaryExists": "./locked/f"}, DENIED),
    "HashInALockedFolder": ({"fileMD5Equals": MD5, "path": "locked/f"}, DENIED),
    "HashOfALockedFile": ({"fileSHA256Equals": MD5 * 2, "path": "unreadable"}, DENIED),
    "FileThatIsACircle": ({"fileExists": "circle"}, CIRCLE),
    "FolderThatIsACircle": ({"folderExists": "circle"}, CIRCLE),
    "ProgramThatIsACircle": ({"binaryExists": "./circle"}, CIRCLE),
    "HashOfACircle": ({"fileMD5Equals": MD5, "path": "circle"}, CIRCLE),
    "HashThatTheDiskDoesNotGive": (
        {"fileMD5Equals": MD5, "path": "/proc/self/mem"},
        "the disk reported an error",
    ),
    "PathWithALineBreak": ({"fileExists": "{{ env:LINES_OF_OUTPUT }}"}, "a line break"),
}
DECIDED: dict[str, dict[str, str]] = {
    "Missing": {"fileExists": "missing"},
    "BelowAFile": {"fileExists": "unreadable/below"},
    "DanglingLink": {"fileExists": "dangling"},
    "NameThatIsTooLong": {"fileExists": "x" * 300},
    "FolderAsAFile": {"fileExists": "locked"},
    "FileAsAFolder": {"folderExists": "unreadable"},
    "HashOfAFolder": {"fileMD5Equals": MD5, "path": "locked"},
    "HashOfNothing": {"fileMD5Equals": MD5, "path": "missing"},
    "ProgramNotInPath": {"binaryExists": "no-such-program"},
    "ProgramInALockedFolderOfPath": {"binaryExists": "f"},
}


@pytest.fixture
def locked(toe: Toe) -> Toe:
    """A program without privileges, in a folder where much cannot be read."""
    toe.write("locked/f", "")
    toe.write("unreadable", "")
    (toe.folder / "circle").symlink_to("circle")
    (toe.folder / "dangling").symlink_to("missing")
    toe.environment["LINES_OF_OUTPUT"] = "f\ng"
    toe.environment["PATH"] += f":{toe.folder / 'locked'}"
    if os.geteuid() == 0:
        toe.become_nobody()
    (toe.folder / "unreadable").chmod(0)
    (toe.folder / "locked").chmod(0)
    return toe


def _asserted(name: str, condition: dict[str, str]) -> list[Step]:
    return [
        action(name, "Assert", condition, onFailure="Continue"),
        action(f"Not{name}", "Assert", {"not": condition}, onFailure="Continue"),
        bash(f"If{name}", f"touch {name}", onFailure="Continue", **{"if": {"not": condition}}),
    ]


def _open(folder: Path) -> None:
    (folder / "locked").chmod(0o700)


def test_what_cannot_be_decided_fails_with_the_reason(locked: Toe) -> None:
    given = [step for name, row in UNDECIDED.items() for step in _asserted(name, row[0])]
    ended = locked.steps(*given)
    _open(locked.folder)

    assert ended.counts == ("failed", len(given), len(given), 0)
    for name, (condition, reason) in UNDECIDED.items():
        for step in (name, f"Not{name}", f"If{name}"):
            message = ended.steps[step]["failureMessage"]
            assert f"{next(iter(condition))}: " in message
            assert "cannot be checked" in message
            assert reason in message
        assert not (locked.folder / name).exists()


def test_what_is_not_there_is_false(locked: Toe) -> None:
    given = [step for name, row in DECIDED.items() for step in _asserted(name, row)]
    ended = locked.steps(*given)
    _open(locked.folder)

    assert ended.exit_code == 1
    for name in DECIDED:
        found = [ended.statuses[step] for step in (name, f"Not{name}", f"If{name}")]
        assert (name, found) == (name, ["failed", "success", "success"])
