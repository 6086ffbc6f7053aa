"""Writes trust metadata of The Update Framework: root, targets, snapshot and timestamp.

It uses the library's own objects. A ``MetadataRepository`` is the published folder ``metadata/``:
``N.root.json``, ``N.targets.json`` and ``N.snapshot.json`` never change once they exist (consistent
snapshots); only ``timestamp.json`` is replaced. Programs have their version in their paths and also
never change. Releases publish them under names with a hash as well, for other clients.

The root keys are offline and sign rarely. The targets key signs a release. The snapshot and
timestamp keys are online and keep the metadata fresh.
"""

import copy
import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from securesystemslib import signer as sslib
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from awstoe.host.files.own_files import replace_file
from awstoe.update import layout
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import PublicKey, Signer

ROLES: Final = ("root", "targets", "snapshot", "timestamp")
_SPECIFICATION: Final = "1.0.31"
_COMPACT: Final = JSONSerializer(compact=True)
_ROOT_NAME: Final = re.compile(r"([1-9][0-9]*)\.root\.json")
_HASH: Final = "sha256"


class Expiries(NamedTuple):
    """How long each role's metadata is valid after it was signed."""

    root: dt.timedelta = dt.timedelta(days=730)
    targets: dt.timedelta = dt.timedelta(days=365)
    snapshot: dt.timedelta = dt.timedelta(days=30)
    timestamp: dt.timedelta = dt.timedelta(days=7)
    """The longest time that an attacker can withhold updates without being noticed."""


class RoleKeys(NamedTuple):
    """The keys that may sign for a role."""

    keys: tuple[PublicKey, ...]
    threshold: int = 1
    """The number of keys that must sign."""


class ReleaseSigners(NamedTuple):
    """The keys that publish a release."""

    targets: tuple[Signer, ...]
    snapshot: tuple[Signer, ...]
    timestamp: tuple[Signer, ...]


class ReleaseFile(NamedTuple):
    """A program to publish, and its signature."""

    version: str
    platform: str
    """``linux`` or ``windows``."""
    architecture: str
    program: str
    """The program's path on this machine."""
    signature: str
    """The path of its detached signature on this machine."""
    glibc: str | None = None
    """The lowest version of the C library it runs with; None if it needs no C library."""
    notes: str | None = None
    """The URL of the release notes."""


class Published(NamedTuple):
    """What a repository offers now."""

    metadata: tuple[str, ...]
    """The file names, in the order in which they must be published."""
    programs: tuple[str, ...]
    """The paths of the listed programs."""


class MetadataSigner(sslib.Signer):
    """Adapts one of our signers to the library's interface."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._key = public_key(signer.public_key)

    @property
    def public_key(self) -> sslib.Key:
        return self._key

    @classmethod
    def from_priv_key_uri(
        cls,
        priv_key_uri: str,
        public_key: sslib.Key,
        secrets_handler: sslib.SecretsHandler | None = None,
    ) -> sslib.Signer:
        """Reject: ``awstoe_signing`` opens keys itself.

        Raises:
            ValueError: Always.
        """
        del public_key, secrets_handler
        raise ValueError(f"{priv_key_uri}: keys cannot be opened by URI here")

    def sign(self, payload: bytes) -> sslib.Signature:
        name = self._key.get_hash_algorithm_name()
        digest = hashlib.new(name, payload).digest()
        signed = self._signer.sign_digest(digest, "sha384" if name == "sha384" else "sha256")
        return sslib.Signature(self._key.keyid, signed.hex())


def public_key(key: PublicKey) -> sslib.SSlibKey:
    """Return a key in the format of metadata: RSA with PKCS #1 v1.5 and SHA-256, or ECDSA.

    Raises:
        SigningFailure: Metadata cannot be signed with such a key.
    """
    kind = sslib.SSlibKey.from_crypto(key)
    if kind.keytype == "rsa":
        return sslib.SSlibKey.from_crypto(key, scheme="rsa-pkcs1v15-sha256")
    if kind.scheme not in ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"):
        raise SigningFailure(
            f"trust metadata cannot be signed with a key of the kind {kind.scheme}",
            hint="use an RSA key, or a key on the curve P-256 or P-384",
        )
    return kind


def create_root(
    roles: Mapping[str, RoleKeys],
    signers: Sequence[Signer],
    *,
    expires: dt.datetime,
    version: int = 1,
) -> bytes:
    """Return a signed root, with which all trust starts.

    Args:
        roles: The keys of each of ``ROLES``.
        signers: Private keys of the root, as many as its threshold or more.
        expires: UTC.
        version: 1 for the first root.

    Raises:
        SigningFailure: Roles and signers do not fit together.
    """
    metadata = Metadata(_root(roles, version, expires))
    return _signed(metadata, signers, metadata.signed)


def rotate_root(
    current: bytes,
    roles: Mapping[str, RoleKeys],
    signers: Sequence[Signer],
    *,
    expires: dt.datetime,
) -> bytes:
    """Return the next root, with other keys, thresholds or expiry.

    Args:
        current: The current root.
        roles: The keys of each of ``ROLES`` from now on.
        signers: Enough private keys for the thresholds of the current and the new root.
        expires: UTC.

    Raises:
        SigningFailure: ``current`` is not a root, or signatures are missing.
    """
    before = _read(current, "the current root").signed
    if not isinstance(before, Root):
        raise SigningFailure("the current root: expected root metadata")
    metadata = Metadata(_root(roles, before.version + 1, expires))
    return _signed(metadata, signers, metadata.signed, before)


def _root(roles: Mapping[str, RoleKeys], version: int, expires: dt.datetime) -> Root:
    keys: dict[str, sslib.Key] = {}
    named: dict[str, Role] = {}
    if set(roles) != set(ROLES):
        raise SigningFailure(f"expected keys for {', '.join(ROLES)}, got {', '.join(roles)}")
    for name, given in roles.items():
        own = [public_key(key) for key in given.keys]
        keyids = [key.keyid for key in own]
        if not 1 <= given.threshold <= len(set(keyids)):
            raise SigningFailure(
                f"the role {name}: a threshold of {given.threshold} cannot be met by"
                f" {len(set(keyids))} keys"
            )
        keys.update({key.keyid: key for key in own})
        named[name] = Role(keyids, given.threshold)
    return Root(
        version=version,
        spec_version=_SPECIFICATION,
        expires=expires.astimezone(dt.UTC).replace(microsecond=0),
        keys=keys,
        roles=named,
        consistent_snapshot=True,
    )


def _signed(metadata: Metadata[Any], signers: Iterable[Signer], *delegators: Root) -> bytes:
    """Sign metadata with all signers, and check that it satisfies each of the delegating roots."""
    try:
        for signer in signers:
            metadata.sign(MetadataSigner(signer), append=True)
        for root in delegators:
            root.verify_delegate(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError as error:
        raise SigningFailure(
            f"the {metadata.signed.type} metadata is not signed by enough keys: {error}",
            hint="sign with all keys that root.json requires",
        ) from error
    return metadata.to_bytes(_COMPACT)


def _read(data: bytes, what: str) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(data)
    except DeserializationError as error:
        raise SigningFailure(f"{what} is not trust metadata: {error}") from error


class MetadataRepository:
    """The published folder of metadata.

    Args:
        folder: Made if missing.
        expiries: The validity of metadata that is signed from now on.
    """

    def __init__(self, folder: str, expiries: Expiries | None = None) -> None:
        self._folder = folder
        self._expiries = expiries or Expiries()
        os.makedirs(folder, exist_ok=True)

    def write_root(self, data: bytes) -> str:
        """Write a root to the folder. Return its file name.

        Raises:
            SigningFailure: It does not follow the current root.
        """
        root = _read(data, "the new root").signed
        if not isinstance(root, Root):
            raise SigningFailure("the new root: expected root metadata")
        latest = self.root_version()
        if root.version != latest + 1:
            raise SigningFailure(f"expected root version {latest + 1}, got {root.version}")
        return self._write(f"{root.version}.root.json", data)

    def root_version(self) -> int:
        """Return the number of the current root; 0 if there is none."""
        found = (_ROOT_NAME.fullmatch(name) for name in os.listdir(self._folder))
        return max((int(each[1]) for each in found if each), default=0)

    def root(self) -> Root:
        """Return the current root.

        Raises:
            SigningFailure: There is no root.
        """
        signed = self._load(f"{self.root_version()}.root.json").signed
        if not isinstance(signed, Root):
            raise SigningFailure(f"{self._folder}: the root is not root metadata")
        return signed

    def publish(
        self,
        files: Sequence[ReleaseFile],
        signers: ReleaseSigners,
        *,
        now: dt.datetime,
        withdrawn: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Add files to the targets, and sign new targets, snapshot and timestamp.

        Each file is complete and on the disk before the next file, which refers to it; the
        timestamp is last. If the process is killed in between, the folder's metadata is still the
        old one, and calling this again completes it.

        Args:
            files: The files to add. A path that is already published must have the same content.
            signers: The keys of targets, snapshot and timestamp.
            now: UTC; the start of the validity.
            withdrawn: Versions to stop updates to, each with the reason.

        Returns:
            The names of the files written, in the order in which they must be published.

        Raises:
            SigningFailure: A published path would change, or more keys are needed.
            OSError: A file cannot be read or written.
        """
        root, before = self.root(), self._current()
        targets = copy.deepcopy(before.targets) if before else Targets(spec_version=_SPECIFICATION)
        targets.version = self._free(before.targets.version if before else 0, "targets")
        targets.expires = _later(now, self._expiries.targets)
        for file in files:
            _add(targets, file)
        for version, reason in (withdrawn or {}).items():
            _withdraw(targets, version, reason)
        data = _signed(Metadata(targets), signers.targets, root)
        written = self._write(f"{targets.version}.targets.json", data)
        return (written, *self._sign_snapshot(data, targets.version, before, signers, now))

    def refresh(self, signers: ReleaseSigners, *, now: dt.datetime) -> tuple[str, ...]:
        """Sign a new snapshot and timestamp, for the same targets.

        Returns:
            The names of the files written, in the order in which they must be published.

        Raises:
            SigningFailure: Nothing was published yet, or more keys are needed.
        """
        before = self._published()
        data = self._bytes(f"{before.targets.version}.targets.json")
        return self._sign_snapshot(data, before.targets.version, before, signers, now)

    def refresh_timestamp(self, signers: Sequence[Signer], *, now: dt.datetime) -> str:
        """Sign a new timestamp: the regular task that keeps the metadata fresh.

        Raises:
            SigningFailure: Nothing was published yet, or more keys are needed.
        """
        before = self._published()
        timestamp = copy.deepcopy(before.timestamp)
        timestamp.version += 1
        timestamp.expires = _later(now, self._expiries.timestamp)
        data = _signed(Metadata(timestamp), signers, self.root())
        return self._write("timestamp.json", data)

    def _sign_snapshot(
        self,
        targets: bytes,
        version: int,
        before: "_Current | None",
        signers: ReleaseSigners,
        now: dt.datetime,
    ) -> tuple[str, str]:
        root = self.root()
        snapshot = Snapshot(
            version=self._free(before.snapshot.version if before else 0, "snapshot"),
            spec_version=_SPECIFICATION,
            expires=_later(now, self._expiries.snapshot),
            meta={"targets.json": _described(targets, version)},
        )
        data = _signed(Metadata(snapshot), signers.snapshot, root)
        timestamp = Timestamp(
            version=before.timestamp.version + 1 if before else 1,
            spec_version=_SPECIFICATION,
            expires=_later(now, self._expiries.timestamp),
            snapshot_meta=_described(data, snapshot.version),
        )
        stamped = _signed(Metadata(timestamp), signers.timestamp, root)
        return (
            self._write(f"{snapshot.version}.snapshot.json", data),
            self._write("timestamp.json", stamped),
        )

    def published(self) -> Published:
        """Return the current metadata files, and the programs that they list.

        Raises:
            SigningFailure: Nothing was published yet.
        """
        current = self._published()
        targets = (f"{current.targets.version}.targets.json",)
        snapshot = (f"{current.snapshot.version}.snapshot.json",)
        roots = tuple(f"{number + 1}.root.json" for number in range(self.root_version()))
        return Published(
            (*roots, *targets, *snapshot, "timestamp.json"),
            tuple(path for path in current.targets.targets if layout.parse_program_path(path)),
        )

    def _published(self) -> "_Current":
        found = self._current()
        if found is None:
            raise SigningFailure(f"{self._folder}: nothing has been published yet")
        return found

    def _current(self) -> "_Current | None":
        if not os.path.exists(os.path.join(self._folder, "timestamp.json")):
            return None
        timestamp = self._load("timestamp.json").signed
        snapshot = self._load(f"{timestamp.snapshot_meta.version}.snapshot.json").signed
        version = snapshot.meta["targets.json"].version
        targets = self._load(f"{version}.targets.json").signed
        return _Current(timestamp, snapshot, targets)

    def _load(self, name: str) -> Metadata[Any]:
        return _read(self._bytes(name), os.path.join(self._folder, name))

    def _bytes(self, name: str) -> bytes:
        path = os.path.join(self._folder, name)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            raise SigningFailure(f"{path}: {error.strerror}") from error

    def _free(self, version: int, role: str) -> int:
        """Return the next version of a role that has no file.

        A killed process may have left a file that no timestamp refers to. It stays, because it may
        have been published, or an older timestamp may have been restored.
        """
        following = version + 1
        while os.path.exists(os.path.join(self._folder, f"{following}.{role}.json")):
            following += 1
        return following

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self._folder, name)
        if name != "timestamp.json" and os.path.exists(path):
            raise SigningFailure(f"{path} exists already: published files never change")
        replace_file(path, [data], durable=True)
        return name


class _Current(NamedTuple):
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets


def _later(now: dt.datetime, after: dt.timedelta) -> dt.datetime:
    return (now.astimezone(dt.UTC) + after).replace(microsecond=0)


def _described(data: bytes, version: int) -> MetaFile:
    return MetaFile(version, len(data), {_HASH: hashlib.sha256(data).hexdigest()})


def _add(targets: Targets, file: ReleaseFile) -> None:
    path = layout.program_path(file.version, file.platform, file.architecture)
    program = TargetFile.from_file(path, file.program, [_HASH])
    signature = TargetFile.from_file(path + layout.SIGNATURE, file.signature, [_HASH])
    custom = {
        "version": file.version,
        "os": file.platform,
        "arch": file.architecture,
        "signature": signature.path,
        "glibc": file.glibc,
        "notes": file.notes,
    }
    program.unrecognized_fields["custom"] = {
        name: value for name, value in custom.items() if value is not None
    }
    for each in (program, signature):
        published = targets.targets.get(each.path)
        if published and (published.length, published.hashes) != (each.length, each.hashes):
            raise SigningFailure(
                f"{each.path} is published with other content: published files never change",
                hint="publish the changed files under a new version",
            )
        if published and (reason := (published.custom or {}).get("withdrawn")):
            each.unrecognized_fields["custom"]["withdrawn"] = reason  # it stays withdrawn
        targets.targets[each.path] = each


def _withdraw(targets: Targets, version: str, reason: str) -> None:
    found = [
        each
        for each in targets.targets.values()
        if each.custom is not None and each.custom.get("version") == version
    ]
    if not found:
        raise SigningFailure(f"version {version} is not published: there is nothing to withdraw")
    for each in found:
        each.unrecognized_fields["custom"]["withdrawn"] = reason
