"""Writes bundles of releases for machines without a network: part of a repository in one file.

``awstoe.update.bundle`` reads them. A bundle is not trusted more than a server: it has the metadata
with all signatures, and can be used until the metadata expires.
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
"""A fixed time, so that the same files always make the same bundle."""


def write(
    path: str,
    repository: str,
    version: str,
    *,
    targets: Collection[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """Write a bundle of one version.

    Args:
        path: The bundle, which must not exist.
        repository: The published folder: programs, and the metadata below ``metadata/``.
        version: The version to include.
        targets: Platforms and architectures; if empty, all targets of the version.

    Returns:
        The paths of the programs in the bundle.

    Raises:
        SigningFailure: The version is not published, or a file cannot be read or written.
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
    # Signatures of older versions too: a rollback needs the signature of the replaced program.
    names += [name + layout.SIGNATURE for name, _ in fit]
    try:
        file = open(path, "xb")  # noqa: SIM115 - an existing file must not be removed below
        try:
            with file:
                _fill(file, repository, names)
            sync_path(path)
        except BaseException:
            os.unlink(path)  # a partial file could be mistaken for a bundle
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
    """Add the options of the command ``bundle``."""
    add = parser.add_argument
    add("--repository", required=True, metavar="DIR", help="the published folder")
    add("--version", required=True, metavar="V", help="the version to include")
    add(
        "--target",
        dest="targets",
        action="append",
        default=[],
        metavar="OS/ARCH",
        help="only this target (repeatable)",
    )
    add("bundle", metavar="FILE", help="the bundle, which must not exist")


def run(options: argparse.Namespace) -> int:
    """Run the command line. Return the exit code.

    Raises:
        SigningFailure: The bundle cannot be written.
    """
    pairs = []
    for target in options.targets:
        platform, _, architecture = target.partition("/")
        pairs.append((platform, architecture))
    for path in write(options.bundle, options.repository, options.version, targets=pairs):
        print(path)
    return 0
