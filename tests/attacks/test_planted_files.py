"""Attacks by files that another user puts where an update looks for files of its own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.releases import shell_program
from fakes.scene import Scene

if sys.platform == "win32":
    pytest.skip("the files are Linux's", allow_module_level=True)

SECRET = b"a private key\n"
UNKNOWN = shell_program("1.0.0", padding=50_000)
"""A program that the metadata does not list."""


def make_huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


PLANTED: dict[str, Callable[[Path], object]] = {
    "a link": lambda path: path.symlink_to("../secret"),
    "a named pipe": os.mkfifo,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a huge file": make_huge,
    "something else": lambda path: path.write_bytes(b"not a signature"),
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("known", [True, False])
def test_file_in_the_place_of_the_signature(scene: Scene, kind: str, *, known: bool) -> None:
    """The update keeps the old program's signature: a copy for all to read."""
    (scene.folder / "secret").write_bytes(SECRET)
    beside = scene.installation.bin / "awstoe.sig"
    beside.unlink(missing_ok=True)
    PLANTED[kind](beside)
    if not known:  # else its signature is downloaded again
        scene.installation.path.write_bytes(UNKNOWN)
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    assert beside.read_bytes().startswith((b"\x89", b"\xc2"))
    assert not beside.is_symlink()
    kept = scene.installation.bin / "awstoe.previous.sig"
    assert kept.exists() == known
    assert all(
        SECRET not in path.read_bytes()
        for path in scene.installation.bin.rglob("*")
        if path.is_file()
    )


def test_a_good_signature_next_to_the_program_is_kept(scene: Scene) -> None:
    beside = scene.installation.bin / "awstoe.sig"
    scene.installation.path.write_bytes(UNKNOWN)
    beside.write_bytes(scene.keys.current.sign(UNKNOWN))
    signature = beside.read_bytes()
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    assert (scene.installation.bin / "awstoe.previous.sig").read_bytes() == signature
    assert scene.update("--rollback").code == 0


@pytest.mark.parametrize("kind", ["a named pipe", "a link to a device"])
def test_file_in_the_place_of_a_bundle(scene: Scene, kind: str) -> None:
    path = scene.folder / "bundle.zip"
    PLANTED[kind](path)
    attempt = scene.update("--from-file", str(path))
    assert attempt.code == 2
    assert "expected a regular file" in attempt.stderr
