"""Trust metadata of The Update Framework: root, targets, snapshot and timestamp.

All of it is made with the library's own objects. A ``MetadataRepository`` is the published folder
below ``metadata/``: ``N.root.json``, ``N.targets.json`` and ``N.snapshot.json`` never change once
they are there (consistent snapshots), only ``timestamp.json`` is replaced. Files are published
under paths that hold their version and never change either, so their names get no hash in front.

The root's keys are offline and sign rarely, the targets' key signs a release, the snapshot's and
the timestamp's are online and keep the metadata fresh.
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
    """How long each role's metadata is valid from the time of its signing."""

    root: dt.timedelta = dt.timedelta(days=730)
    targets: dt.timedelta = dt.timedelta(days=365)
    snapshot: dt.timedelta = dt.timedelta(days=30)
    timestamp: dt.timedelta = dt.timedelta(days=7)
    """An attacker who holds back updates is noticed after this time at the latest."""


class RoleKeys(NamedTuple):
    """Who may sign for a role."""

    keys: tuple[PublicKey, ...]
    threshold: int = 1
    """How many of them must."""


class ReleaseSigners(NamedTuple):
    """The keys that publish a release."""

    targets: tuple[Signer, ...]
    snapshot: tuple[Signer, ...]
    timestamp: tuple[Signer, ...]


class ReleaseFile(NamedTuple):
    """A program that is published, and its signature."""

    version: str
    platform: str
    """``linux`` or ``windows``."""
    architecture: str
    program: str
    """Path of the program on this machine."""
    signature: str
    """Path of its detached signature on this machine."""
    glibc: str | None = None
    """The lowest version of the C library it runs with; None where it needs none."""
    notes: str | None = None
    """URL of the release notes."""


class Published(NamedTuple):
    """What a repository offers now."""

    metadata: tuple[str, ...]
    """File names, in the order in which they must be published."""
    programs: tuple[str, ...]
    """Paths of the programs that are listed."""


class MetadataSigner(sslib.Signer):
    """One of our signers as the library wants it."""

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
        """Refuse: keys are opened by ``awstoe_signing``.

        Raises:
            ValueError: Always.
        """
        del public_key, secrets_handler
        raise ValueError(f"{priv_key_uri}: keys are not opened by address here")

    def sign(self, payload: bytes) -> sslib.Signature:
        name = self._key.get_hash_algorithm_name()
        digest = hashlib.new(name, payload).digest()
        signed = self._signer.sign_digest(digest, "sha384" if name == "sha384" else "sha256")
        return sslib.Signature(self._key.keyid, signed.hex())


def public_key(key: PublicKey) -> sslib.SSlibKey:
    """``key`` as metadata names it: RSA with PKCS #1 v1.5 and SHA-256, or ECDSA.

    Raises:
        SigningFailure: Metadata cannot be signed with such a key.
    """
    kind = sslib.SSlibKey.from_crypto(key)
    if kind.keytype == "rsa":
        return sslib.SSlibKey.from_crypto(key, scheme="rsa-pkcs1v15-sha256")
    if kind.scheme not in ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"):
        raise SigningFailure(
            f"trust metadata cannot be signed with a key of the kind {kind.scheme}",
            hint="use RSA or a key on the curve P-256 or P-384",
        )
    return kind


def create_root(
    roles: Mapping[str, RoleKeys],
    signers: Sequence[Signer],
    *,
    expires: dt.datetime,
    version: int = 1,
) -> bytes:
    """The root that all trust begins with, signed.

    Args:
        roles: The keys of each of ``ROLES``.
        signers: The root's private keys: at least its threshold.
        expires: UTC.
        version: 1 for the first.

    Raises:
        SigningFailure: Roles or signers do not fit together.
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
    """The next root: other keys, thresholds or expiry.

    Args:
        current: The root in force.
        roles: The keys of each of ``ROLES`` from now on.
        signers: The threshold of the current root's keys and of the new one's.
        expires: UTC.

    Raises:
        SigningFailure: ``current`` is no root, or signatures are missing.
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
    """``metadata`` signed by all of ``signers``, and proven to satisfy each of ``delegators``."""
    try:
        for signer in signers:
            metadata.sign(MetadataSigner(signer), append=True)
        for root in delegators:
            root.verify_delegate(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError as error:
        raise SigningFailure(
            f"the {metadata.signed.type} metadata is not signed by enough keys: {error}",
            hint="sign with all keys that root.json asks for",
        ) from error
    return metadata.to_bytes(_COMPACT)


def _read(data: bytes, what: str) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(data)
    except DeserializationError as error:
        raise SigningFailure(f"{what} is no trust metadata: {error}") from error


class MetadataRepository:
    """The folder of metadata that is published.

    Args:
        folder: Made when missing.
        expiries: For what is signed from now on.
    """

    def __init__(self, folder: str, expiries: Expiries | None = None) -> None:
        self._folder = folder
        self._expiries = expiries or Expiries()
        os.makedirs(folder, exist_ok=True)

    def write_root(self, data: bytes) -> str:
        """Put a root into the folder; gives its file name.

        Raises:
            SigningFailure: It does not follow the one in force.
        """
        root = _read(data, "the new root").signed
        if not isinstance(root, Root):
            raise SigningFailure("the new root: expected root metadata")
        latest = self.root_version()
        if root.version != latest + 1:
            raise SigningFailure(f"expected root version {latest + 1}, got {root.version}")
        return self._write(f"{root.version}.root.json", data)

    def root_version(self) -> int:
        """The number of the root in force; 0 if there is none."""
        found = (_ROOT_NAME.fullmatch(name) for name in os.listdir(self._folder))
        return max((int(each[1]) for each in found if each), default=0)

    def root(self) -> Root:
        """The root in force.

        Raises:
            SigningFailure: There is none.
        """
        signed = self._load(f"{self.root_version()}.root.json").signed
        if not isinstance(signed, Root):
            raise SigningFailure(f"{self._folder}: the root is no root metadata")
        return signed

    def publish(
        self,
        files: Sequence[ReleaseFile],
        signers: ReleaseSigners,
        *,
        now: dt.datetime,
        withdrawn: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Add files to the targets, and sign everything but the root anew.

        Each file is written whole, and on the disk, before the next one, which speaks of it; the
        timestamp comes last. Killed in between, the folder says what it said before, and the same
        call again completes it.

        Args:
            files: What is added; a path that is published already must have the same content.
            signers: The keys of targets, snapshot and timestamp.
            now: UTC; what is signed is valid from now on.
            withdrawn: Versions that nobody shall be updated to any more, each with the reason.

        Returns:
            The names of the files written, in the order in which they must be published.

        Raises:
            SigningFailure: A published path would change, or the keys do not suffice.
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
        """Sign snapshot and timestamp anew, as long as the targets are valid.

        Returns:
            The names of the files written, in the order in which they must be published.

        Raises:
            SigningFailure: Nothing was published yet, or the keys do not suffice.
        """
        before = self._published()
        data = self._bytes(f"{before.targets.version}.targets.json")
        return self._sign_snapshot(data, before.targets.version, before, signers, now)

    def refresh_timestamp(self, signers: Sequence[Signer], *, now: dt.datetime) -> str:
        """Sign the timestamp anew: the regular task that keeps the metadata fresh.

        Raises:
            SigningFailure: Nothing was published yet, or the keys do not suffice.
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
        """The files of metadata in force, and the programs that they list.

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
        """The next version of a role for which no file is there.

        A publishing that was killed may have left one that no timestamp speaks of. It stays as it
        is: somebody could have published it, or have put back an older timestamp.
        """
        following = version + 1
        while os.path.exists(os.path.join(self._folder, f"{following}.{role}.json")):
            following += 1
        return following

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self._folder, name)
        if name != "timestamp.json" and os.path.exists(path):
            raise SigningFailure(f"{path} is there already: what is published never changes")
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
                f"{each.path} is published with other content: what is published never changes",
                hint="give the changed files a new version",
            )
        if published and (reason := (published.custom or {}).get("withdrawn")):
            each.unrecognized_fields["custom"]["withdrawn"] = reason  # it stays so
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
