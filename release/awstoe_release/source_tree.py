"""Reads and prepares the sources: version, commit, tag, changes, and the changelog."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Final

from awstoe.update.releases import Version
from awstoe_release import commands
from awstoe_release.failure import ReleaseFailure
from awstoe_release.state import write

_VERSION: Final = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_FRAGMENT: Final = re.compile(r"([0-9a-z-]+)\.(added|changed|fixed|removed)\.md")
_SECTION: Final = re.compile(r"^## ", re.MULTILINE)
KINDS: Final = ("added", "changed", "fixed", "removed")


def version(sources: str) -> str:
    """Return the version of the sources.

    Raises:
        ReleaseFailure: They have no version.
    """
    path = os.path.join(sources, "src", "awstoe", "__init__.py")
    found = _VERSION.search(_text(path))
    if found is None:
        raise ReleaseFailure(f"{path}: expected a line __version__ = ...")
    return found[1]


def commit(sources: str) -> tuple[str, int]:
    """Return the commit and its time in seconds since 1970.

    Raises:
        ReleaseFailure: The folder is not a git work tree.
    """
    commit, seconds = _git(sources, "log", "-1", "--format=%H %ct").split()
    return commit, int(seconds)


def changes(sources: str) -> list[str]:
    """Return the files that differ from the commit.

    Raises:
        ReleaseFailure: The folder is not a git work tree.
    """
    return [line[3:] for line in _git(sources, "status", "--porcelain").splitlines()]


def tagged(sources: str, tag: str) -> str | None:
    """Return the commit of a tag; None if there is no such tag.

    Raises:
        ReleaseFailure: The folder is not a git work tree.
    """
    if not _git(sources, "tag", "--list", tag).strip():
        return None
    return _git(sources, "rev-list", "-n", "1", tag).strip()


def _git(sources: str, *arguments: str) -> str:
    return commands.run(
        ["git", "-C", sources, *arguments], hint="run this in a git work tree of the sources"
    )


def notes(sources: str, released: str) -> str:
    """Return what is new in a version, as Markdown: its section of CHANGELOG.md, or the fragments.

    Raises:
        ReleaseFailure: There is neither.
    """
    for section in _SECTION.split(_text(os.path.join(sources, "CHANGELOG.md")))[1:]:
        title, _, body = section.partition("\n")
        if re.match(rf"\[?{re.escape(released)}\]?(\s|$)", title):
            return body.strip() + "\n"
    found = fragments(sources)
    if not found:
        raise ReleaseFailure(
            f"there are no release notes for {released}: no section in CHANGELOG.md, no fragment in"
            " changelog.d",
            hint="write changelog.d/<issue>.<kind>.md (changelog.d/README.md)",
        )
    return as_section(found)


def fragments(sources: str) -> Mapping[str, Sequence[str]]:
    """Return the fragments' paths by kind.

    Raises:
        ReleaseFailure: The folder cannot be read.
    """
    folder = os.path.join(sources, "changelog.d")
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise ReleaseFailure(f"{folder} cannot be read: {error.strerror}") from error
    found: dict[str, list[str]] = {}
    for name in names:
        if match := _FRAGMENT.fullmatch(name):
            found.setdefault(match[2], []).append(os.path.join(folder, name))
    return found


def as_section(found: Mapping[str, Sequence[str]]) -> str:
    """Return the fragments' texts below a heading for each kind."""
    parts = []
    for kind in KINDS:
        if kind in found:
            items = "\n".join(f"- {' '.join(_text(path).split())}" for path in found[kind])
            parts.append(f"### {kind.capitalize()}\n{items}\n")
    return "\n".join(parts)


def prepare(sources: str, released: str, today: str) -> list[str]:
    """Set the version of the sources, and write its section of the changelog.

    Args:
        sources: The tree.
        released: The version.
        today: The date of the section.

    Returns:
        The paths that were changed or removed.

    Raises:
        ReleaseFailure: There are no fragments.
        HostError: A file cannot be written.
    """
    found = fragments(sources)
    if not found:
        raise ReleaseFailure(
            "changelog.d has no fragments: there is nothing new to release",
            hint="write changelog.d/<issue>.<kind>.md (changelog.d/README.md)",
        )
    Version(released)
    changelog = os.path.join(sources, "CHANGELOG.md")
    text = _text(changelog)
    head, mark, rest = text.partition("\n## ")
    section = f"\n## [{released}] - {today}\n{as_section(found)}"
    write(changelog, f"{head.rstrip()}\n{section}{mark}{rest}".encode())
    init = os.path.join(sources, "src", "awstoe", "__init__.py")
    write(init, _VERSION.sub(f'__version__ = "{released}"', _text(init)).encode())
    paths = [path for kind in found.values() for path in kind]
    for path in paths:
        os.unlink(path)
    return [changelog, init, *paths]


def older(version: str) -> str:
    """Return a version that comes before another one."""
    major, minor, patch = (int(part) for part in version.partition("-")[0].split("."))
    if "-" in version or not major + minor + patch:
        return f"{version}-0" if "-" not in version else f"{major}.{minor}.{patch}-0"
    if patch:
        return f"{major}.{minor}.{patch - 1}"
    return f"{major}.{minor - 1}.99" if minor else f"{major - 1}.99.99"


def copy_as(sources: str, destination: str, version: str) -> None:
    """Copy the sources, tracked and new files, to another folder, with another version.

    Raises:
        ReleaseFailure: The folder is not a git work tree.
        HostError: A file cannot be written.
    """
    listed = _git(sources, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    shutil.rmtree(destination, ignore_errors=True)
    for name in filter(None, listed.split("\0")):
        place = os.path.join(destination, name)
        source = os.path.join(sources, name)
        if os.path.isfile(source):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy2(source, place)
    init = os.path.join(destination, "src", "awstoe", "__init__.py")
    write(init, _VERSION.sub(f'__version__ = "{version}"', _text(init)).encode())


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseFailure(f"{path} cannot be read: {error}") from error
