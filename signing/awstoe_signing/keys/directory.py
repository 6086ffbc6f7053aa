"""The folder of a set of keys: the private keys, their public halves, and the key registry.

::

    keys.toml          the key registry: public facts only, can be published
    keys.lock          locked by the command that changes the folder
    private/NAME.pem   encrypted private keys; none for a key of AWS KMS
    public/NAME.asc    OpenPGP certificates; NAME.pem: other public keys and certificates
    revocations/       a revocation of each OpenPGP key, made with the key, in case it is lost
    metadata/          every root of trust metadata so far
    trust/             what ``make build TRUST=`` bakes in
"""

import contextlib
import datetime as dt
import json
import os
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from awstoe.host.files import locks
from awstoe.host.files.own_files import replace_file, sync_path
from awstoe.trust.policy import KeyState
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import files, passphrases
from awstoe_signing.keys.signers import PrivateKey, Signer

REGISTRY: Final = "keys.toml"
_LOCK: Final = "keys.lock"
IN_FILE: Final = "file"
_PASSPHRASE: Final = "passphrase"  # noqa: S105 - a file name
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_HEADER: Final = """\
# The release keys: public facts only. awstoe-signing writes this file; docs/trust.md explains it.
"""


class Purpose(StrEnum):
    """What a key signs. Each purpose has its own keys."""

    OPENPGP = "openpgp"
    AUTHENTICODE = "authenticode"
    ROOT = "root"
    TARGETS = "targets"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"


METADATA: Final = (Purpose.ROOT, Purpose.TARGETS, Purpose.SNAPSHOT, Purpose.TIMESTAMP)


class KeyFacts(NamedTuple):
    """A key in the registry."""

    name: str
    purpose: Purpose
    state: KeyState
    backend: str
    """``file``, or the name of a key at AWS KMS."""
    fingerprint: str
    """OpenPGP: the key's. Authenticode: the SHA-1 thumbprint. Metadata: the key ID in roots."""
    created: int
    """Seconds since 1970."""
    expires: int | None
    """Seconds since 1970. Metadata keys do not expire, but their root does."""


class ReleaseKeys(NamedTuple):
    """The product that the keys are for, from the registry."""

    product: str
    user_id: str
    """The user ID of the OpenPGP keys."""
    url: str
    """Where releases are published, with the fields ``{region}`` and ``{suffix}``."""
    is_rehearsal: bool


class KeyDirectory:
    """A folder of keys.

    Args:
        folder: The folder, which may not exist yet.
        release: The product, to make a new registry; ignored if the folder has a registry.

    Raises:
        SigningFailure: There is no registry and ``release`` is None, or it cannot be read.
    """

    def __init__(self, folder: str, release: ReleaseKeys | None = None) -> None:
        self.folder = os.path.abspath(folder)
        registry = self.path(REGISTRY)
        self._keys: dict[str, KeyFacts] = {}
        if os.path.exists(registry):
            self.release, found = read_registry(registry)
            self._keys = {each.name: each for each in found}
        elif release is not None:
            self.release = release
            _make_folder(self.folder)
            for name in ("private", "public", "revocations", "metadata"):
                _make_folder(self.path(name))
            self._save()
        else:
            raise _without_keys(self.folder)

    def path(self, *parts: str) -> str:
        """Return a path in the folder."""
        return os.path.join(self.folder, *parts)

    def facts(self, purpose: Purpose | None = None, *states: KeyState) -> list[KeyFacts]:
        """Return the keys with a purpose and one of some states, oldest first; all by default."""
        return [
            each
            for each in self._keys.values()
            if (purpose is None or each.purpose is purpose) and (not states or each.state in states)
        ]

    def key(self, name: str) -> KeyFacts:
        """Return the key with a name.

        Raises:
            SigningFailure: There is no such key.
        """
        if name not in self._keys:
            raise SigningFailure(
                f"there is no key {name!r} in {self.folder}",
                hint=f"expected one of {', '.join(self._keys)}" if self._keys else None,
            )
        return self._keys[name]

    def only(self, purpose: Purpose, state: KeyState = KeyState.CURRENT) -> KeyFacts:
        """Return the only key with a purpose and a state.

        Raises:
            SigningFailure: There is no such key, or more than one.
        """
        found = self.facts(purpose, state)
        if len(found) != 1:
            waiting = state is KeyState.CURRENT and self.facts(purpose, KeyState.NEXT)
            command = "rotate" if waiting else f"create --state {state}"
            raise SigningFailure(
                f"{self.folder} has {len(found)} {state} keys for {purpose}: expected one",
                hint=f"run: awstoe-signing {command} --purpose {purpose} --directory {self.folder}",
            )
        return found[0]

    def free_name(self, purpose: Purpose) -> str:
        """Return a name for a new key with a purpose."""
        number = 1 + sum(each.purpose is purpose for each in self._keys.values())
        # An interruption may have left a key file that is not in the registry.
        while os.path.lexists(self.path("private", f"{purpose}-{number}.pem")):
            number += 1
        return f"{purpose}-{number}"

    def store(self, name: str, private_key: PrivateKey) -> None:
        """Write a private key to its file.

        Raises:
            SigningFailure: The name is taken, or the file cannot be written.
        """
        if name in self._keys or not _NAME.fullmatch(name):
            raise SigningFailure(
                f"{name!r} cannot be the name of a new key",
                hint="expected an unused name of lower-case letters, digits and hyphens",
            )
        passphrase = passphrases.new(f"the key {name}", self.path("private", _PASSPHRASE))
        files.write(self.path("private", f"{name}.pem"), private_key, passphrase)

    def open(self, key: KeyFacts) -> Signer:
        """Open the private key.

        Raises:
            SigningFailure: It is not available, or cannot be opened.
        """
        if key.backend != IN_FILE:
            from awstoe_signing.keys.kms import KmsSigner  # noqa: PLC0415 - boto3 takes half a second

            return KmsSigner(key.backend)
        path = self._private(key)
        if not self.is_at_hand(key):
            raise SigningFailure(
                f"{path} does not exist: the key {key.name} is kept elsewhere",
                hint=f"insert the medium with the key, then link it: ln -s FILE {path}",
            )
        secret = passphrases.existing(f"the key {key.name}", self.path("private", _PASSPHRASE))
        return files.read(path, secret)

    def is_at_hand(self, key: KeyFacts) -> bool:
        """Whether the private key is available: at AWS KMS, or in its file."""
        return key.backend != IN_FILE or os.path.exists(self._private(key))

    def put(self, *keys: KeyFacts) -> None:
        """Write new or changed keys to the registry, all at once."""
        self._keys.update((key.name, key) for key in keys)
        self._save()

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file in the folder, completely or not at all."""
        path = self.path(*parts)
        _make_folder(os.path.dirname(path))
        replace_file(path, [data], durable=True)

    def read(self, *parts: str) -> bytes:
        """Return the contents of a file in the folder.

        Raises:
            SigningFailure: It cannot be read.
        """
        path = self.path(*parts)
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except OSError as error:
            raise SigningFailure(f"{path}: {error.strerror}") from error

    def _private(self, key: KeyFacts) -> str:
        return self.path("private", f"{key.name}.pem")

    def _save(self) -> None:
        text = registry_text(self.release, list(self._keys.values()))
        replace_file(self.path(REGISTRY), [text.encode()], durable=True)


@contextlib.contextmanager
def locked(folder: str, *, begin: bool = False) -> Iterator[None]:
    """Prevent other commands from changing a folder of keys while the block runs.

    Open the ``KeyDirectory`` in the block: a registry that was read before may be out of date.

    Args:
        folder: The folder.
        begin: Whether to make the folder if it is missing.

    Raises:
        SigningFailure: Another command is changing it, or there are no keys.
        HostError: The lock file cannot be written.
    """
    folder = os.path.abspath(folder)
    if begin:
        _make_folder(folder)
    elif not os.path.exists(os.path.join(folder, REGISTRY)):
        raise _without_keys(folder)
    path = os.path.join(folder, _LOCK)
    descriptor = locks.acquire(path)
    if descriptor is None:
        raise SigningFailure(
            f"another command is changing the keys in {folder}: {path} is locked",
            hint="wait until it has ended; you do not need to remove any file",
        )
    try:
        yield
    finally:
        os.close(descriptor)


def _without_keys(folder: str) -> SigningFailure:
    return SigningFailure(
        f"{folder} has no {REGISTRY}: there are no keys",
        hint=f"make a set of keys: awstoe-signing ceremony --directory {folder}"
        " --user-id 'NAME <ADDRESS>'",
    )


def _make_folder(path: str) -> None:
    """Make a folder that only its owner can read, if it is missing.

    Raises:
        SigningFailure: It cannot be made.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    try:
        os.makedirs(parent, exist_ok=True)
        os.mkdir(path, 0o700)
        sync_path(parent)
    except OSError as error:
        raise SigningFailure(f"{path} cannot be made: {error.strerror}") from error


def read_registry(path: str) -> tuple[ReleaseKeys, list[KeyFacts]]:
    """Return what a key registry has.

    Raises:
        SigningFailure: It cannot be read, or is not a key registry.
    """
    try:
        with open(path, "rb") as stream:
            data = tomllib.load(stream)
        release = ReleaseKeys(**data.pop("release"))
        keys = [_key_facts(row) for row in data.pop("keys", [])]
    except OSError as error:
        raise SigningFailure(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SigningFailure(f"{path} is not a key registry: {error}") from error
    if data:
        raise SigningFailure(f"{path} is not a key registry: unknown key {', '.join(data)}")
    return release, keys


def _key_facts(row: dict[str, Any]) -> KeyFacts:
    row["purpose"] = Purpose(row["purpose"])
    row["state"] = KeyState(row["state"])
    row["created"] = _seconds(row["created"])
    row["expires"] = _seconds(row["expires"]) if "expires" in row else None
    return KeyFacts(**row)


def _seconds(value: object) -> int:
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise TypeError(f"expected a time with a time zone, got {value!r}")
    return int(value.timestamp())


def registry_text(release: ReleaseKeys, keys: list[KeyFacts]) -> str:
    """Return the text of a key registry."""
    tables = [_HEADER, "[release]", *_rows(release._asdict())]
    for key in keys:
        facts = {name: value for name, value in key._asdict().items() if value is not None}
        tables += ["", "[[keys]]", *_rows(facts)]
    return "\n".join([*tables, ""])


def _rows(values: dict[str, Any]) -> list[str]:
    rows = []
    for name, value in values.items():
        if name in ("created", "expires"):
            text = moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(value, bool):
            text = str(value).lower()
        else:
            # A JSON string is a TOML string, except for surrogate pairs and the delete character.
            text = json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        rows.append(f"{name} = {text}")
    return rows


def moment(seconds: int) -> dt.datetime:
    """Return a time in UTC. Unlike ``fromtimestamp``, it works after 2038 on 32 bits."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
