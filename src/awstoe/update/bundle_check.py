"""Looks whether all that is in a bundle would be accepted, without updating anything."""

import os
from typing import NamedTuple

from awstoe.host.files import temporary
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import fetch, release_index, verify
from awstoe.update.bundle import Bundle
from awstoe.update.errors import NotAvailable
from awstoe.update.releases import Release


class Inspected(NamedTuple):
    """What is in a bundle; all of it is signed as it must be."""

    releases: tuple[Release, ...]
    """Those that it holds the programs of."""
    expires: str
    """Until when it can be used."""


def inspect(path: str, trust: ReleaseTrust) -> Inspected:
    """Check the metadata, and each program with its signature.

    Raises:
        UsageError: The file cannot be read.
        Untrusted: Something in it is not what was signed.
        NotAvailable: There is no program in it.
        CannotWrite: There is no room for temporary files.
        HostError: There is no place for temporary files.
    """
    folder = temporary.make_folder()
    try:
        with Bundle(path) as bundle:
            catalogue = release_index.refresh(bundle, trust.root, folder)
            held = tuple(each for each in catalogue.releases if bundle.has(each.path))
            if not held:
                raise NotAvailable(
                    f"{bundle.name} holds none of the programs that its metadata lists",
                    hint="make the bundle again",
                )
            for release in held:
                _check(bundle, release, trust, folder)
        return Inspected(held, catalogue.expires)
    finally:
        temporary.remove_folder(folder)


def _check(bundle: Bundle, release: Release, trust: ReleaseTrust, folder: str) -> None:
    signature = fetch.signature([bundle], release)
    fetch.check_space(folder, release.length)
    path = fetch.program([bundle], release, folder, lambda *_: None)
    try:
        with open(path, "rb") as file:
            verify.check(
                file, f"{bundle.name}: {release.path}", signature, trust, sha256=release.sha256
            )
    finally:
        os.unlink(path)
