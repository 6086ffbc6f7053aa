"""Bundles of releases for machines without a network: a part of a repository in one file.

The reader is ``awstoe.update.bundle``. A bundle is no more trusted than a server is: it holds the
metadata with all its signatures, and can be used until that expires.
"""

import argparse
import os
import zipfile
from collections.abc import Collection, Sequence
from typing import BinaryIO, Final

from awstoe.host.files.own_files import sync_path
from awstoe.update import layout
from awstoe_signing.failure import SigningFailure
from awstoe_signing.tuf.repository import MetadataRepository

HELP: Final = "write a bundle of a release for machines without a network"
_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)
"""The same files make the same bundle, whenever it is made."""


def write(
    path: str,
    repository: str,
    version: str,
    *,
    targets: Collection[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """Write a bundle of one version.

    Args:
        path: The bundle; must not be there yet.
        repository: The folder that is published: programs, and below ``metadata/`` the metadata.
        version: What it is to hold.
        targets: Platforms and architectures; empty: all that the version was published for.

    Returns:
        The paths of the programs in it.

    Raises:
        SigningFailure: There is no such version, or a file cannot be read or written.
    """
    found = MetadataRepository(os.path.join(repository, layout.METADATA)).published()
    listed = [(name, layout.parse_program_path(name)) for name in found.programs]
    fit = [
        (name, parts)
        for name, parts in listed
        if parts is not None and (not targets or parts[1:] in targets)
    ]
    programs = [name for name, parts in fit if parts[0] == version]
    if not programs:
        raise SigningFailure(f"version {version} is not published for these targets")
    names = [layout.METADATA + name for name in found.metadata]
    names += programs
    # Those of older versions too: what an update replaces can only be gone back to with its own.
    names += [name + layout.SIGNATURE for name, _ in fit]
    try:
        file = open(path, "xb")  # noqa: SIM115 - what is there already is not for us to remove
        try:
            with file:
                _fill(file, repository, names)
            sync_path(path)
        except BaseException:
            os.unlink(path)  # a part of a bundle could be taken for one
            raise
    except OSError as error:
        what = error.filename or path
        raise SigningFailure(f"the bundle {path}: {what}: {error.strerror}") from error
    return tuple(programs)


def _fill(file: BinaryIO, repository: str, names: Sequence[str]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, _WRITTEN)
            with open(os.path.join(repository, name), "rb") as source:
                archive.writestr(entry, source.read())


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add those of the command ``bundle``."""
    add = parser.add_argument
    add("--repository", required=True, metavar="DIR", help="the folder that is published")
    add("--version", required=True, metavar="V", help="the release")
    add(
        "--target",
        dest="targets",
        action="append",
        default=[],
        metavar="OS/ARCH",
        help="only this one (may be given several times)",
    )
    add("bundle", metavar="FILE", help="the bundle; must not be there yet")


def run(options: argparse.Namespace) -> int:
    """Do what the command line asks for; gives the exit code.

    Raises:
        SigningFailure: It cannot be done.
    """
    pairs = []
    for target in options.targets:
        platform, _, architecture = target.partition("/")
        pairs.append((platform, architecture))
    for path in write(options.bundle, options.repository, options.version, targets=pairs):
        print(path)
    return 0
