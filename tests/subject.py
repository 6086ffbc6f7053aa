"""Finds what the black-box tests run: this source tree, or a built file.

``AWSTOE_SUBJECT`` chooses: ``source`` (the default); a target such as ``linux/386``, for its file
in ``dist/``; or the path of a file, whose target is read from its first bytes.
"""

import os
import platform
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe import __version__
from awstoe.host.platforms import Platform, architecture, current

ROOT = Path(__file__).parent.parent
TARGETS = ("linux/amd64", "linux/386", "linux/arm64", "windows/amd64")
SOURCE = "source"
_ELF_MACHINES = {3: "linux/386", 62: "linux/amd64", 183: "linux/arm64"}
_HEAD_BYTES = 20
_SMOKE_SECONDS = 120
_EMULATED = 8
"""How many times longer an emulated program may take."""


class SubjectMissing(Exception):
    """The subject does not exist or cannot run on this machine; the text says what to do."""


class Subject(NamedTuple):
    """A program to test."""

    name: str
    """``source``, or the target."""
    platform: Platform
    """The platform that its documents run on."""
    argv: tuple[str, ...]
    """The command that starts it."""
    path: str
    """One file that starts it, as documents for it write the path."""
    file: Path | None = None
    """The built file; None for a source tree."""
    patience: int = 1
    """How many times longer than a native program it may take; 1 for a native program."""

    @property
    def frozen(self) -> bool:
        return self.file is not None

    @property
    def native(self) -> bool:
        return self.patience == 1

    @property
    def under_wine(self) -> bool:
        return self.platform is Platform.WINDOWS and sys.platform != "win32"

    def native_path(self, path: Path) -> str:
        """Return ``path`` as the program writes it: under Wine, / is drive Z."""
        if self.under_wine:
            return "Z:" + str(path).replace("/", "\\")
        return str(path)


def file_of(target: str) -> Path:
    """Return the path at which ``make build`` puts the file of a target."""
    name = "awstoe.exe" if target.startswith("windows/") else "awstoe"
    return ROOT / "dist" / __version__ / target / name


def find(name: str) -> Subject:
    """Return the subject called ``name``.

    Raises:
        SubjectMissing: It does not exist, or this machine cannot run it.
    """
    if name in ("", SOURCE):
        return _source()
    file = file_of(name) if name in TARGETS else Path(name).absolute()
    if not file.is_file():
        hint = f"run: make build TARGET={name}" if name in TARGETS else "check the path"
        raise SubjectMissing(f"{file} does not exist: {hint}")
    subject = _built(file, target_of(file))
    _try(subject)
    return subject


@cache
def chosen() -> Subject:
    """Return the subject of this test session.

    Raises:
        SubjectMissing: The subject that ``AWSTOE_SUBJECT`` names cannot be run.
    """
    return find(os.environ.get("AWSTOE_SUBJECT", ""))


def target_of(file: Path) -> str:
    """Return the target that a file was built for, by its first bytes.

    Raises:
        SubjectMissing: It is not a program for any of the targets.
    """
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"MZ"):
        return "windows/amd64"
    if head.startswith(b"\x7fELF") and len(head) == _HEAD_BYTES:
        (machine,) = struct.unpack_from("<H", head, 18)
        if machine in _ELF_MACHINES:
            return _ELF_MACHINES[machine]
    raise SubjectMissing(f"{file} is not a program for any of {', '.join(TARGETS)}")


def _source() -> Subject:
    script = "awstoe.exe" if sys.platform == "win32" else "awstoe"
    path = str(Path(sys.executable).with_name(script))
    return Subject(SOURCE, current(), (sys.executable, "-m", "awstoe"), path)


def _built(file: Path, target: str) -> Subject:
    if target.startswith("windows/"):
        bare = Subject(target, Platform.WINDOWS, (str(file),), str(file), file)
        if not bare.under_wine:
            return bare
        return bare._replace(
            argv=("wine", str(file)), path=bare.native_path(file), patience=_EMULATED
        )
    own = architecture(platform.machine(), pointer_bits=64)
    native = own == target.partition("/")[2] or (own, target) == ("amd64", "linux/386")
    path = str(file)
    return Subject(target, Platform.LINUX, (path,), path, file, 1 if native else _EMULATED)


def _try(subject: Subject) -> None:
    """Check that this machine can run a subject."""
    if subject.under_wine:
        from fakes import wine  # noqa: PLC0415 - it needs the tooling of the build

        if lacking := wine.missing():
            raise SubjectMissing(f"this machine cannot run {subject.file}: {lacking}")
        return
    try:
        ended = subprocess.run(
            [*subject.argv, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SMOKE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SubjectMissing(
            f"this machine cannot run {subject.file}: {error}; docs/building.md lists what"
            f" {subject.name} needs"
        ) from error
    if ended.returncode:
        output = (ended.stdout + ended.stderr).decode(errors="replace").strip()
        raise SubjectMissing(f"{subject.file} --version exited with {ended.returncode}: {output}")


def needs_source(reason: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test if the subject is a built file."""
    return pytest.mark.skipif(chosen().frozen, reason=reason)
