"""Checks whether an update would accept everything in a bundle, without updating anything."""

import os
from typing import NamedTuple

from awstoe.host.files import temporary
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import fetch, release_index, verify
from awstoe.update.bundle import Bundle
from awstoe.update.errors import NotAvailable
from awstoe.update.releases import Release


class CheckedBundle(NamedTuple):
    """The verified content of a bundle."""

    releases: tuple[Release, ...]
    """The releases whose programs are in the bundle."""
    expires: str
    """When its metadata expires."""


def check(path: str, trust: ReleaseTrust) -> CheckedBundle:
    """Check the metadata of a bundle, and each program with its signature.

    Raises:
        UsageError: The file cannot be read.
        Untrusted: Something in it is not what was signed.
        NotAvailable: It contains no program.
        CannotWrite: There is not enough space for temporary files.
        HostError: There is no folder for temporary files.
    """
    folder = temporary.make_folder()
    try:
        with Bundle(path) as bundle:
            index = release_index.refresh(bundle, trust.root, folder)
            contained = tuple(each for each in index.releases if bundle.has(each.path))
            if not contained:
                raise NotAvailable(
                    f"{bundle.name} contains none of the programs that its metadata lists",
                    hint="make the bundle again",
                )
            for release in contained:
                _check_program(bundle, release, trust, folder)
        return CheckedBundle(contained, index.expires)
    finally:
        temporary.remove_folder(folder)


def _check_program(bundle: Bundle, release: Release, trust: ReleaseTrust, folder: str) -> None:
    signature = fetch.signature([bundle], release)
    fetch.check_space(folder, release.length)
    path = fetch.program([bundle], release, folder, lambda *_: None)
    try:
        with open(path, "rb") as file:
            verify.check(
                file,
                f"{bundle.name}: {release.path}",
                signature,
                trust,
                platform=release.platform,
                sha256=release.sha256,
            )
    finally:
        os.unlink(path)
