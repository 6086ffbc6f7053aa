"""A publisher of releases with keys made at run time, and programs that stand in for awstoe.

The code that makes real releases makes these; the tests only decide what goes wrong.
"""

import datetime as dt
import hashlib
import io
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tuf.api.metadata import Metadata, MetaFile

from awstoe.trust import release_trust
from awstoe.update import layout
from awstoe_signing.keys.signers import LocalSigner
from awstoe_signing.openpgp import certificates as openpgp_certificates
from awstoe_signing.openpgp import sign as openpgp_signing
from awstoe_signing.tuf import repository as tuf_repository
from awstoe_signing.tuf.repository import Expiries, ReleaseFile, ReleaseSigners, RoleKeys

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = 86_400
_KEYS_CREATED = int(NOW.timestamp()) - 400 * DAY


def curve_key(name: str) -> LocalSigner:
    return LocalSigner(ec.generate_private_key(ec.SECP256R1()), name)


class OpenPgpKey(NamedTuple):
    signer: LocalSigner
    certificate: openpgp_certificates.Certificate

    def sign(self, data: bytes, created: int | None = None) -> bytes:
        key = self.certificate.key(self.signer)
        return openpgp_signing.detached(key, io.BytesIO(data), created or int(time.time()) - 60)

    @property
    def fingerprint(self) -> str:
        return self.certificate.public.fingerprint


def openpgp_key(name: str, *, days: int = 3650) -> OpenPgpKey:
    signer = LocalSigner(rsa.generate_private_key(public_exponent=65537, key_size=3072), name)
    certificate = openpgp_certificates.create(
        signer,
        f"AWSTOE test ({name}) <{name}@awstoe.invalid>",
        created=_KEYS_CREATED,
        expires=_KEYS_CREATED + days * DAY,
    )
    return OpenPgpKey(signer, certificate)


class Keys(NamedTuple):
    """All keys of a publisher. Creating them takes a second, so it is done once per session."""

    current: OpenPgpKey
    next: OpenPgpKey
    stranger: OpenPgpKey
    roots: tuple[LocalSigner, ...]
    targets: tuple[LocalSigner, ...]
    snapshot: tuple[LocalSigner, ...]
    timestamp: tuple[LocalSigner, ...]


def make_keys(days: int = 3650) -> Keys:
    """Create keys; the OpenPGP keys are valid for the given number of days."""
    current, following, stranger = (
        openpgp_key(name, days=days) for name in ("current", "next", "stranger")
    )
    roots, targets, snapshot, timestamp = (
        tuple(curve_key(f"{role}-{number}") for number in range(3))
        for role in ("root", "targets", "snapshot", "timestamp")
    )
    return Keys(current, following, stranger, roots, targets, snapshot, timestamp)


def shell_program(version: str, *, padding: int = 40_000, body: str = "") -> bytes:
    """Return a program that prints its version, padded to a certain size."""
    weight = hashlib.sha256(version.encode()).hexdigest()
    lines = "\n".join(f"# {weight}" for _ in range(padding // 67))
    return f"#!/bin/sh\n{body}\necho 'awstoe {version}'\nexit 0\n{lines}\n".encode()


class Publisher:
    """Publishes releases into the folder of a server."""

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        *,
        expiries: Expiries | None = None,
        now: dt.datetime = NOW,
        thresholds: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.keys = keys
        self.now = now
        self.work = folder.parent / f"{folder.name}-work"
        self.work.mkdir(parents=True)
        self.repository = tuf_repository.MetadataRepository(str(folder / "metadata"), expiries)
        self.signers = ReleaseSigners(keys.targets[:1], keys.snapshot[:1], keys.timestamp[:1])
        self.thresholds = {"root": 2, "targets": 1, "snapshot": 1, "timestamp": 1}
        self.thresholds.update(thresholds or {})
        self.root = tuf_repository.create_root(
            self.roles(),
            keys.roots[:2],
            expires=now + dt.timedelta(days=700),
        )
        self.repository.write_root(self.root)

    def roles(self, **others: Sequence[LocalSigner]) -> dict[str, RoleKeys]:
        """Return the keys of each role: one per role and three for the root by default."""
        counts = {"root": 3, "targets": 1, "snapshot": 1, "timestamp": 1}
        found = {}
        for role, count in counts.items():
            own = self.keys.roots if role == "root" else getattr(self.keys, role)
            wanted = max(count, self.thresholds[role])
            given = others.get(role, own[:wanted])
            found[role] = RoleKeys(
                tuple(each.public_key for each in given), min(self.thresholds[role], len(given))
            )
        return found

    def rotate(self, signers: Sequence[LocalSigner], **others: Sequence[LocalSigner]) -> bytes:
        """Publish the next root, signed by ``signers``."""
        current = self.folder / "metadata" / f"{self.repository.root_version()}.root.json"
        data = tuf_repository.rotate_root(
            current.read_bytes(),
            self.roles(**others),
            signers,
            expires=self.now + dt.timedelta(days=700),
        )
        self.repository.write_root(data)
        return data

    def add(
        self,
        version: str,
        program: bytes | None = None,
        *,
        signature: bytes | None = None,
        target: tuple[str, str] = ("linux", "amd64"),
        glibc: str | None = "2.17",
    ) -> bytes:
        """Publish a version for one platform, and return the program."""
        self.publish(self.file(version, program, signature=signature, target=target, glibc=glibc))
        return (self.folder / layout.program_path(version, *target)).read_bytes()

    def file(
        self,
        version: str,
        program: bytes | None = None,
        *,
        signature: bytes | None = None,
        target: tuple[str, str] = ("linux", "amd64"),
        glibc: str | None = "2.17",
    ) -> ReleaseFile:
        """Serve the files of a version, without listing them yet."""
        data = shell_program(version) if program is None else program
        path = self.folder / layout.program_path(version, *target)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        beside = path.with_name(path.name + ".sig")
        beside.write_bytes(self.keys.current.sign(data) if signature is None else signature)
        return ReleaseFile(version, *target, str(path), str(beside), glibc)

    def publish(self, *files: ReleaseFile, withdrawn: Mapping[str, str] | None = None) -> None:
        """Sign metadata that also lists ``files``."""
        self.repository.publish(files, self.signers, now=self.now, withdrawn=withdrawn)

    def forged(self, name: str, change: Callable[[Any], None]) -> bytes:
        """Return a changed metadata file, signed again by an attacker who stole its keys."""
        found: Metadata[Any] = Metadata.from_bytes((self.folder / "metadata" / name).read_bytes())
        change(found.signed)
        found.signatures.clear()
        for signer in getattr(self.signers, found.signed.type):
            found.sign(tuf_repository.MetadataSigner(signer), append=True)
        return found.to_bytes()

    def write_metadata(self, name: str, data: bytes) -> MetaFile:
        """Serve ``data`` as a metadata file, and return its description for other files."""
        (self.folder / "metadata" / name).write_bytes(data)
        version = json.loads(data)["signed"]["version"]
        return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})

    def snapshot_of_metadata(self) -> dict[str, bytes]:
        """Return the current metadata, as an attacker may keep it to serve it later."""
        folder = self.folder / "metadata"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def restore_metadata(self, kept: Mapping[str, bytes]) -> None:
        """Serve only metadata that was kept."""
        folder = self.folder / "metadata"
        shutil.rmtree(folder)
        folder.mkdir()
        for name, data in kept.items():
            (folder / name).write_bytes(data)

    def write_trust(
        self,
        folder: Path,
        url: str,
        *,
        states: Mapping[str, str] | None = None,
    ) -> Path:
        """Write the folder of release keys that are built into a program."""
        folder.mkdir(parents=True)
        pair = (self.keys.current, self.keys.next)
        facts = {
            "format": 1,
            "product": "AWSTOE test",
            "rehearsal": True,
            "url": url,
            "openpgp": states or {pair[0].fingerprint: "current", pair[1].fingerprint: "next"},
            "authenticode": {},
        }
        (folder / release_trust.FACTS).write_text(json.dumps(facts))
        (folder / release_trust.ROOT).write_bytes(self.root)
        (folder / release_trust.KEYRING).write_bytes(
            b"".join(each.certificate.to_bytes() for each in pair)
        )
        return folder
