"""The folder of a set of keys: private keys, what is public of them, and the book about them.

::

    keys.toml          the book: public facts only, fit to be published
    keys.lock          held by the command that changes something
    private/NAME.pem   encrypted private keys; none for a key of AWS KMS
    public/NAME.asc    OpenPGP certificates; NAME.pem: other public keys and certificates
    revocations/       a revocation of each OpenPGP key, made with it, for the day it is lost
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

BOOK: Final = "keys.toml"
_LOCK: Final = "keys.lock"
IN_FILE: Final = "file"
_PASSPHRASE: Final = "passphrase"  # noqa: S105 - a file name
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_HEADER: Final = """\
# The release keys: public facts only. awstoe_signing writes this file; docs/trust.md explains it.
"""


class Purpose(StrEnum):
    """What a key signs; there is a key for each."""

    OPENPGP = "openpgp"
    AUTHENTICODE = "authenticode"
    ROOT = "root"
    TARGETS = "targets"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"


METADATA: Final = (Purpose.ROOT, Purpose.TARGETS, Purpose.SNAPSHOT, Purpose.TIMESTAMP)


class KeyFacts(NamedTuple):
    """What the book says of a key."""

    name: str
    purpose: Purpose
    state: KeyState
    backend: str
    """``file``, or the key's name at AWS KMS."""
    fingerprint: str
    """OpenPGP: of the key. Authenticode: SHA-1 thumbprint. Metadata: the key id that roots use."""
    created: int
    """Seconds since 1970."""
    expires: int | None
    """Seconds since 1970; keys of metadata have no expiry of their own, their root has."""


class ReleaseKeys(NamedTuple):
    """What the book says of the product that the keys are for."""

    product: str
    user_id: str
    """Of the OpenPGP keys."""
    url: str
    """Where releases are published; ``{region}`` and ``{suffix}`` stand for a region's."""
    is_rehearsal: bool


class KeyDirectory:
    """A folder with a book.

    Args:
        folder: Where it is, or will be.
        release: What a new book says; that of the folder counts when there is one.

    Raises:
        SigningFailure: There is no book and none is to be made, or it cannot be read.
    """

    def __init__(self, folder: str, release: ReleaseKeys | None = None) -> None:
        self.folder = os.path.abspath(folder)
        book = self.path(BOOK)
        self._keys: dict[str, KeyFacts] = {}
        if os.path.exists(book):
            self.release, found = read_book(book)
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
        """A path in the folder."""
        return os.path.join(self.folder, *parts)

    def facts(self, purpose: Purpose | None = None, *states: KeyState) -> list[KeyFacts]:
        """The keys of a purpose in some states, oldest first; all without arguments."""
        return [
            each
            for each in self._keys.values()
            if (purpose is None or each.purpose is purpose) and (not states or each.state in states)
        ]

    def key(self, name: str) -> KeyFacts:
        """The key of a name.

        Raises:
            SigningFailure: There is none.
        """
        if name not in self._keys:
            raise SigningFailure(
                f"there is no key {name!r} in {self.folder}",
                hint=f"there are: {', '.join(self._keys) or 'none'}",
            )
        return self._keys[name]

    def only(self, purpose: Purpose, state: KeyState = KeyState.CURRENT) -> KeyFacts:
        """The one key of a purpose in a state.

        Raises:
            SigningFailure: There is none, or more than one.
        """
        found = self.facts(purpose, state)
        if len(found) != 1:
            waiting = state is KeyState.CURRENT and self.facts(purpose, KeyState.NEXT)
            command = "rotate" if waiting else f"create --state {state}"
            raise SigningFailure(
                f"{self.folder} has {len(found)} {state} keys for {purpose}: expected one",
                hint=f"use: {command} --purpose {purpose}",
            )
        return found[0]

    def free_name(self, purpose: Purpose) -> str:
        """A name for one more key of a purpose."""
        number = 1 + sum(each.purpose is purpose for each in self._keys.values())
        # An interruption may have left a key file of which the book knows nothing.
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
                hint="expected a free name of small letters, digits and hyphens",
            )
        passphrase = passphrases.new(f"the key {name}", self.path("private", _PASSPHRASE))
        files.write(self.path("private", f"{name}.pem"), private_key, passphrase)

    def open(self, key: KeyFacts) -> Signer:
        """The private key.

        Raises:
            SigningFailure: It cannot be had.
        """
        if key.backend != IN_FILE:
            from awstoe_signing.keys.kms import KmsSigner  # noqa: PLC0415 - boto3 takes half a second

            return KmsSigner(key.backend)
        path = self._private(key)
        if not self.is_at_hand(key):
            raise SigningFailure(
                f"{path} is not there: the key {key.name} lies elsewhere",
                hint="bring the medium that it is kept on, and link the file to this place",
            )
        secret = passphrases.existing(f"the key {key.name}", self.path("private", _PASSPHRASE))
        return files.read(path, secret)

    def is_at_hand(self, key: KeyFacts) -> bool:
        """Whether the private key can be had: at AWS KMS, or in its file."""
        return key.backend != IN_FILE or os.path.exists(self._private(key))

    def put(self, *keys: KeyFacts) -> None:
        """Write what is known of keys, new or changed, into the book, all at once."""
        self._keys.update((key.name, key) for key in keys)
        self._save()

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file into the folder, whole or not at all."""
        path = self.path(*parts)
        _make_folder(os.path.dirname(path))
        replace_file(path, [data], durable=True)

    def read(self, *parts: str) -> bytes:
        """A file of the folder.

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
        text = book_text(self.release, list(self._keys.values()))
        replace_file(self.path(BOOK), [text.encode()], durable=True)


@contextlib.contextmanager
def locked(folder: str, *, begin: bool = False) -> Iterator[None]:
    """Keep other commands from changing a folder of keys while the block runs.

    What the book says counts only once it is read within: open the ``KeyDirectory`` there.

    Args:
        folder: The folder.
        begin: Make it where it is missing.

    Raises:
        SigningFailure: Another command is changing it, or there are no keys.
        HostError: The lock file cannot be written.
    """
    folder = os.path.abspath(folder)
    if begin:
        _make_folder(folder)
    elif not os.path.exists(os.path.join(folder, BOOK)):
        raise _without_keys(folder)
    path = os.path.join(folder, _LOCK)
    descriptor = locks.acquire(path)
    if descriptor is None:
        raise SigningFailure(
            f"another command is changing the keys in {folder}: {path} is locked",
            hint="wait until it has ended; nothing has to be removed by hand",
        )
    try:
        yield
    finally:
        os.close(descriptor)


def _without_keys(folder: str) -> SigningFailure:
    return SigningFailure(
        f"{folder} has no {BOOK}: there are no keys",
        hint="make a set: python -m awstoe_signing ceremony --directory DIR",
    )


def _make_folder(path: str) -> None:
    """Make a folder that nobody else can look into, if it is missing.

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


def read_book(path: str) -> tuple[ReleaseKeys, list[KeyFacts]]:
    """What a book says.

    Raises:
        SigningFailure: It cannot be read, or says something that no book says.
    """
    try:
        with open(path, "rb") as stream:
            data = tomllib.load(stream)
        release = ReleaseKeys(**data.pop("release"))
        keys = [_key_facts(row) for row in data.pop("keys", [])]
    except OSError as error:
        raise SigningFailure(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SigningFailure(f"{path} is no book of keys: {error}") from error
    if data:
        raise SigningFailure(f"{path} is no book of keys: unknown {', '.join(data)}")
    return release, keys


def _key_facts(row: dict[str, Any]) -> KeyFacts:
    row["purpose"] = Purpose(row["purpose"])
    row["state"] = KeyState(row["state"])
    row["created"] = _seconds(row["created"])
    row["expires"] = _seconds(row["expires"]) if "expires" in row else None
    return KeyFacts(**row)


def _seconds(value: object) -> int:
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise TypeError(f"expected a time with its zone, got {value!r}")
    return int(value.timestamp())


def book_text(release: ReleaseKeys, keys: list[KeyFacts]) -> str:
    """The text of a book."""
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
            # A JSON string is a TOML string, but for surrogate pairs and the delete character.
            text = json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        rows.append(f"{name} = {text}")
    return rows


def moment(seconds: int) -> dt.datetime:
    """A time in UTC; unlike the standard library's, also after 2038 on 32 bits."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
