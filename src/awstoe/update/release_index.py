"""Reads the trust metadata, with the reference client of The Update Framework.

``tuf.ngclient`` handles root rotation, thresholds, expiry, and the protection against rollback,
freeze and mix-and-match attacks. This module adds the built-in root of trust, the folder that keeps
the highest versions seen, limits, and error messages.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tuf.api import exceptions
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.api.serialization import DeserializationError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from awstoe import contact, limits
from awstoe.errors import HostError
from awstoe.host.files.own_files import sync_path
from awstoe.host.network.errors import RequestFailed
from awstoe.update import layout
from awstoe.update.errors import CannotWrite, Unreachable, Untrusted
from awstoe.update.releases import Release, Version, glibc_version
from awstoe.update.repository import NotFound, Repository, TooLarge

_CONFIGURATION = UpdaterConfig(
    max_root_rotations=limits.UPDATE_ROOT_ROTATIONS,
    root_max_length=limits.UPDATE_ROOT_BYTES,
    timestamp_max_length=limits.UPDATE_ROOT_BYTES,
    snapshot_max_length=limits.UPDATE_ROOT_BYTES,
    targets_max_length=limits.UPDATE_METADATA_BYTES,
    prefix_targets_with_hash=False,
)
_SHA256 = re.compile("[0-9a-f]{64}")
_ATTACK = f"if it persists, this may be an attack on updates: {contact.report_attack()}"


class ReleaseIndex(NamedTuple):
    """The verified metadata of a repository."""

    releases: tuple[Release, ...]
    expires: str
    """When the metadata expires, such as ``2026-11-29T20:00:00Z``."""


class _Fetcher(FetcherInterface):
    """Fetches metadata from a repository for the client. The URLs are paths in the repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return a metadata file. It stays in memory: temporary folders may be full."""
        try:
            return self._repository.read(url, max_length)
        except NotFound as error:
            raise exceptions.DownloadHTTPError(str(error), 404) from error
        except TooLarge as error:
            raise exceptions.DownloadLengthMismatchError(str(error)) from error
        except RequestFailed as error:
            raise exceptions.DownloadError(error.message) from error

    def _fetch(self, url: str) -> Iterator[bytes]:
        return iter([self.download_bytes(url, limits.UPDATE_ROOT_BYTES)])


def refresh(repository: Repository, root: bytes, folder: str) -> ReleaseIndex:
    """Update the metadata in ``folder``, and read it.

    Args:
        repository: The source of newer metadata.
        root: The built-in root of trust.
        folder: Keeps the metadata seen so far; private to this user.

    Raises:
        Unreachable: The repository did not return its metadata.
        Untrusted: The metadata it returned cannot be trusted.
        CannotWrite: The folder cannot be written.
        HostError: No request can be sent: the certificate authorities cannot be loaded.
    """
    try:
        updater = Updater(
            folder,
            layout.METADATA,
            fetcher=_Fetcher(repository),
            config=_CONFIGURATION,
            bootstrap=root,
        )
        updater.refresh()
        index = _index(updater, folder)
        for name in os.listdir(folder):
            sync_path(os.path.join(folder, name))
    except exceptions.DownloadLengthMismatchError as error:
        raise _untrusted(repository, f"the metadata is too large: {error}") from error
    except exceptions.DownloadError as error:
        cause = error.__cause__
        hint = cause.hint if isinstance(cause, HostError) else None
        raise Unreachable(f"{repository.name}: {error}", hint=hint) from error
    except exceptions.ExpiredMetadataError as error:
        now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        raise Untrusted(
            f"{repository.name}: the metadata is out of date: {error}; this machine's clock says"
            f" {now}",
            hint="check the clock; if it is right, try another region: an attacker may be holding"
            " back updates, or the publisher has stopped",
        ) from error
    except exceptions.BadVersionNumberError as error:
        raise _untrusted(
            repository, f"the metadata is older than what this machine has seen: {error}"
        ) from error
    except exceptions.UnsignedMetadataError as error:
        raise _untrusted(
            repository, f"the metadata is not signed by enough keys: {error}"
        ) from error
    except (exceptions.RepositoryError, DeserializationError) as error:
        raise _untrusted(repository, f"the metadata is not what was signed: {error}") from error
    except OSError as error:
        raise CannotWrite(
            f"the folder of trust metadata {folder} cannot be used: {error.strerror or error}",
            hint="free some space there, or fix its permissions",
        ) from error
    return index


def _untrusted(repository: Repository, reason: str) -> Untrusted:
    return Untrusted(f"{repository.name}: {reason}", hint=_ATTACK)


def _index(updater: Updater, folder: str) -> ReleaseIndex:
    """Return the releases. The file only lists the paths; the client returns verified targets."""
    with open(os.path.join(folder, "targets.json"), "rb") as file:
        targets: Metadata[Targets] = Metadata.from_bytes(file.read())
    releases = []
    for path in targets.signed.targets:
        target = updater.get_targetinfo(path)
        parts = layout.parse_program_path(path)
        if target is not None and parts is not None:
            signature = updater.get_targetinfo(path + layout.SIGNATURE)
            releases.append(_release(target, signature, parts))
    with open(os.path.join(folder, "timestamp.json"), "rb") as file:
        expires = Metadata.from_bytes(file.read()).signed.expires
    return ReleaseIndex(tuple(releases), expires.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _release(
    target: TargetFile, signature: TargetFile | None, parts: tuple[str, str, str]
) -> Release:
    """Return a release from its signed description, which must match its path.

    Raises:
        RepositoryError: It does not.
    """
    custom: Mapping[str, Any] = target.custom if isinstance(target.custom, dict) else {}
    described = tuple(custom.get(key) for key in ("version", "os", "arch"))
    if described != parts:
        raise exceptions.RepositoryError(
            f"{target.path} is described as {'/'.join(map(str, described))}"
        )
    if signature is None or custom.get("signature") != signature.path:
        raise exceptions.RepositoryError(f"{target.path} has no signature")
    texts = {key: custom.get(key) for key in ("glibc", "withdrawn", "notes")}
    if any(not isinstance(value, str | None) for value in texts.values()):
        raise exceptions.RepositoryError(f"{target.path}: the description is malformed")
    try:
        version = Version(parts[0])
        hashes = (target.hashes["sha256"], signature.hashes["sha256"])
    except (ValueError, KeyError) as error:
        raise exceptions.RepositoryError(f"{target.path}: {error}") from error
    if not _SHA256.fullmatch(hashes[0]):  # it becomes a file name
        raise exceptions.RepositoryError(f"{target.path}: its SHA-256 is malformed")
    return Release(
        version,
        parts[1],
        parts[2],
        target.path,
        target.length,
        hashes[0],
        signature.path,
        signature.length,
        hashes[1],
        glibc_version(texts["glibc"] or ""),
        texts["withdrawn"] or "",
        texts["notes"] or "",
    )
