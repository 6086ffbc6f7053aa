"""Verifies a region as a user would: downloads from its public address and trusts nothing.

The folder of a version or channel has SHA256SUMS, which lists every file in it. Its signature is
verified, then each file against it and against the file's own signature. The trust metadata is read
by the code that installed programs use.
"""

import os
import re
import tempfile
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from awstoe.errors import AwstoeError
from awstoe.host.network import http
from awstoe.host.network.deadline import Timeouts
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.update import release_index
from awstoe.update.regions import Mirror
from awstoe.update.release_index import ReleaseIndex
from awstoe.update.repository import NotFound, TooLarge, WebRepository
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import CHECKSUMS, SIGNATURE
from awstoe_release.progress import Progress

_SUMS_BYTES: Final = 1 << 20
_SIGNATURE_BYTES: Final = 64 << 10
_FILE_BYTES: Final = 1 << 30
REGIONS_AT_ONCE: Final = 4
_TIMEOUTS: Final = Timeouts(connect=10.0, idle=30.0, total=120.0)
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/+-]+)")


class FileVerdict(NamedTuple):
    """One verified file."""

    key: str
    size: int
    sha256: str
    fingerprint: str
    """The fingerprint of the key that signed it."""


def sums(text: str, name: str) -> Mapping[str, str]:
    """Return the digests in a SHA256SUMS file, by file name.

    Raises:
        ReleaseFailure: A line is wrong.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/"):
            raise ReleaseFailure(f"{name}, line {number}: expected a SHA-256 and a file name")
        found[match[2]] = match[1]
    return found


class ReleaseVerifier:
    """Verifies what regions serve.

    Args:
        keyring: The trusted keys.
        scratch: A folder for downloads, which are removed after verification.
    """

    def __init__(self, keyring: Keyring, scratch: str) -> None:
        self._keyring = keyring
        self._scratch = scratch

    def verify(
        self,
        region: Region,
        prefix: str,
        *,
        expected: Mapping[str, str] | None = None,
        keep: str = "",
        progress: Progress | None = None,
    ) -> list[FileVerdict]:
        """Verify every file of a version or channel in a region.

        Args:
            region: The region.
            prefix: The folder: ``1.2.0`` or ``latest``.
            expected: The SHA-256 of each file by name, if known.
            keep: A folder to put the verified files into, by name; empty to drop them.
            progress: Counts files and bytes.

        Raises:
            RegionFailure: Something is missing or wrong.
        """
        client = http.Client(_TIMEOUTS)
        repository = WebRepository(Mirror(region.name, region.folder_address), client)
        try:
            listed = self._sums(region, repository, prefix, keep)
            if expected is not None and listed != expected:
                raise RegionFailure(
                    region.name,
                    f"{prefix}/{CHECKSUMS} has a good signature, but is not from this release",
                    hint="check whether another release was published, or a cache answered",
                )
            return [
                self._file(region, repository, f"{prefix}/{name}", digest, name, keep, progress)
                for name, digest in listed.items()
            ]
        except (NotFound, TooLarge) as error:
            raise RegionFailure(region.name, f"{error}") from error
        except AwstoeError as error:
            raise RegionFailure(region.name, error.message, hint=error.hint) from error
        except OSError as error:
            raise RegionFailure(
                region.name, f"{error.filename or self._scratch}: {error.strerror}"
            ) from error

    def release_index(self, region: Region, root: bytes) -> ReleaseIndex:
        """Return the release index that installed programs get from a region.

        Args:
            region: The region.
            root: The root of trust that is built into the programs.

        Raises:
            RegionFailure: Programs would not trust it.
        """
        client = http.Client(_TIMEOUTS)
        repository = WebRepository(Mirror(region.name, region.folder_address), client)
        try:
            with tempfile.TemporaryDirectory(dir=self._ready(), prefix="metadata-") as folder:
                return release_index.refresh(repository, root, folder)
        except AwstoeError as error:
            raise RegionFailure(region.name, error.message, hint=error.hint) from error

    def _ready(self) -> str:
        os.makedirs(self._scratch, mode=0o700, exist_ok=True)
        return self._scratch

    def _sums(
        self, region: Region, repository: WebRepository, prefix: str, keep: str
    ) -> Mapping[str, str]:
        key = f"{prefix}/{CHECKSUMS}"
        data = repository.read(key, _SUMS_BYTES)
        path = self._temporary()
        try:
            with open(path, "wb") as stream:
                stream.write(data)
            self._verify_download(region, repository, key, path, CHECKSUMS, keep)
        finally:
            os.unlink(path)
        return sums(data.decode(errors="replace"), key)

    def _file(
        self,
        region: Region,
        repository: WebRepository,
        key: str,
        expected: str,
        name: str,
        keep: str,
        progress: Progress | None,
    ) -> FileVerdict:
        """Download a file, verify it, and drop or keep it."""
        path = self._temporary()
        try:
            size = 0
            with (
                open(path, "wb") as stream,
                repository.open(key, offset=0, length=_FILE_BYTES) as piece,
            ):
                for chunk in piece.chunks:
                    size += stream.write(chunk)
                    if progress:
                        progress.sent(len(chunk))
            sha256, fingerprint = self._verify_download(
                region, repository, key, path, name, keep, expected
            )
        finally:
            os.unlink(path)
        if progress:
            progress.file_done()
        return FileVerdict(key, size, sha256, fingerprint)

    def _verify_download(
        self,
        region: Region,
        repository: WebRepository,
        key: str,
        path: str,
        name: str,
        keep: str,
        expected: str = "",
    ) -> tuple[str, str]:
        """Check a downloaded file against its signature and, if known, its digest.

        Returns:
            The file's SHA-256 and the fingerprint of the key that signed it.

        Raises:
            RegionFailure: The signature is not good, or the digest is another one.
        """
        signature = repository.read(key + SIGNATURE, _SIGNATURE_BYTES)
        with open(path, "rb") as stream:
            found = openpgp.verify(stream, signature, self._keyring, now=int(time.time()))
        if not found.is_good:
            deciding = found.deciding
            raise RegionFailure(
                region.name, f"{key}: {deciding.verdict.value} signature: {deciding.reason}"
            )
        if expected and found.sha256 != expected:
            raise RegionFailure(
                region.name,
                f"{key} has SHA-256 {found.sha256}; expected {expected}, as in {CHECKSUMS} of this"
                " region",
            )
        if keep:
            place = os.path.join(keep, *name.split("/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.link(path, place + ".new")
            os.replace(place + ".new", place)
            with open(place + SIGNATURE, "wb") as stream:
                stream.write(signature)
        return found.sha256, found.deciding.fingerprint

    def _temporary(self) -> str:
        descriptor, path = tempfile.mkstemp(dir=self._ready())
        os.close(descriptor)
        return path
