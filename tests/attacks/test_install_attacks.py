"""Attacks on install.sh by users who can write where root installs.

Such a user could swap the folder of the download after its check, and root would run the swapped
program. The script must stop before it downloads or creates anything.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe_release.configuration import FOLDER

if sys.platform == "win32":
    pytest.skip("install.sh is for Linux", allow_module_level=True)
if os.geteuid() != 0:
    pytest.skip("only root can give folders to other users", allow_module_level=True)

ATTACKER = 65534
SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash"]}
FIELDS = {
    "PRODUCT": "awstoe",
    "TITLE": "awstoe",
    "VERSION": "1.2.3",
    "REGION": "us-east-1",
    "URL": "http://127.0.0.1:9",
    "KEYS": "X",
    "SHA256_LINUX_AMD64": "0",
    "SHA256_LINUX_386": "0",
    "SHA256_LINUX_ARM64": "0",
}


class Root:
    """Root's machine: install.sh, and downloaders that only record that they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        text = Path(FOLDER, "install", "install.sh.in").read_text()
        for name, value in FIELDS.items():
            text = text.replace(f"@{name}@", value)
        self.script = folder / "install.sh"
        self.script.write_text(text)
        self.programs = folder / "programs"
        self.programs.mkdir()
        for name in ("curl", "wget"):
            path = self.programs / name
            path.write_text(f"#!/bin/sh\ntouch {folder}/downloaded\nexit 1\n")
            path.chmod(0o755)

    def install(self, directory: Path, *options: str, shell: str = "dash") -> tuple[int, str]:
        program, *rest = SHELLS[shell]
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        done = subprocess.run(
            [program, *rest, str(self.script), "--directory", str(directory), *options],
            env={**os.environ, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    def refused(self, directory: Path, *options: str, shell: str = "dash") -> str:
        before = contents(self.folder)
        code, stderr = self.install(directory, *options, shell=shell)
        assert code == 1
        assert "nothing is changed" in stderr
        assert contents(self.folder) == before
        return stderr


def contents(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for above in tmp_path.parents:
        if above.name.startswith(("pytest-", "popen-")):
            above.chmod(above.stat().st_mode & ~0o022)
    return Root(tmp_path)


def owned(path: Path) -> None:
    os.chown(path, ATTACKER, ATTACKER)


def of_the_attacker(top: Path) -> Path:
    (top / "bin").mkdir()
    owned(top / "bin")
    return top / "bin"


def below_one_of_the_attacker(top: Path) -> Path:
    (top / "home").mkdir()
    (top / "home/bin").mkdir()
    owned(top / "home")
    return top / "home/bin"


def to_be_made_below_one_of_the_attacker(top: Path) -> Path:
    return of_the_attacker(top) / "new/bin"


def behind_a_link_to_one_of_the_attacker(top: Path) -> Path:
    (top / "link").symlink_to(of_the_attacker(top))
    return top / "link"


def writable_by_everyone(top: Path) -> Path:
    (top / "bin").mkdir()
    (top / "bin").chmod(0o777)
    return top / "bin"


def writable_by_a_group(top: Path) -> Path:
    (top / "bin").mkdir()
    os.chown(top / "bin", 0, 12)
    (top / "bin").chmod(0o775)
    return top / "bin"


UNSAFE: list[Callable[[Path], Path]] = [
    of_the_attacker,
    below_one_of_the_attacker,
    to_be_made_below_one_of_the_attacker,
    behind_a_link_to_one_of_the_attacker,
    writable_by_everyone,
    writable_by_a_group,
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("made", UNSAFE, ids=lambda made: made.__name__)
def test_folder_swapped_after_the_check(
    root: Root, made: Callable[[Path], Path], shell: str
) -> None:
    directory = made(root.folder)
    root.refused(directory, shell=shell)


def test_folder_swapped_while_it_is_emptied(root: Root) -> None:
    directory = of_the_attacker(root.folder)
    (directory / "awstoe").touch()
    assert f"belongs to another user ({ATTACKER})" in root.refused(directory, "--uninstall")


def test_link_in_place_of_what_is_removed(root: Root) -> None:
    directory, other = root.folder / "bin", root.folder / "other"
    for folder in (directory, other):
        folder.mkdir()
    (other / "file").touch()
    for name in ("awstoe", "awstoe.sig", ".awstoe.update"):
        (directory / name).symlink_to(other if name.startswith(".") else other / "file")
    code, stderr = root.install(directory, "--uninstall")
    assert code == 0, stderr
    assert contents(other) == [str(other / "file")]
    assert contents(directory) == []


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o1777, 0o2755, 0o775])
def test_folder_of_root_is_accepted(root: Root, mode: int) -> None:
    directory = root.folder / "bin"
    directory.mkdir()
    os.chown(directory, 0, 0 if mode == 0o775 else 50)
    directory.chmod(mode)
    code, stderr = root.install(directory / "new")
    assert code == 1
    assert "cannot download" in stderr
    assert (root.folder / "downloaded").exists()
    assert contents(directory) == [str(directory / "new")]
