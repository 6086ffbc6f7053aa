"""Private keys in files: PKCS #8, encrypted with a passphrase by scrypt and AES-256.

OpenSSL reads these files too. The encryption is implemented here because ``cryptography`` writes
PKCS #8 only with a key derivation that is fast to guess; it reads our files.
"""

import base64
import os
from typing import Final

from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pyasn1.codec.der import encoder
from pyasn1.type import base, univ

from awstoe.host.files.own_files import sync_path
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import LocalSigner, PrivateKey

# OpenSSL's tools use up to 16 MiB of memory. Ten rounds of that take half a second.
_SCRYPT_COST: Final = 16384
_SCRYPT_BLOCKS: Final = 8
_SCRYPT_ROUNDS: Final = 10
_PBES2: Final = univ.ObjectIdentifier("1.2.840.113549.1.5.13")
_SCRYPT: Final = univ.ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
_AES_256_CBC: Final = univ.ObjectIdentifier("2.16.840.1.101.3.4.1.42")
_FILE_BYTES: Final = 64 * 1024


def write(path: str, private_key: PrivateKey, passphrase: bytes) -> None:
    """Write a key to a new file that only its owner can read.

    Raises:
        SigningFailure: The file exists already, or cannot be written.
    """
    data = _encrypted_pem(private_key, passphrase)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            sync_path(os.path.dirname(path))
        except OSError:
            os.unlink(path)
            raise
    except FileExistsError as error:
        raise SigningFailure(
            f"{path} exists already: a key is never overwritten",
            hint="use another folder, or move the file away",
        ) from error
    except OSError as error:
        raise SigningFailure(f"{path} cannot be written: {error.strerror}") from error


def read(path: str, passphrase: bytes) -> LocalSigner:
    """Return the key in a file.

    Raises:
        SigningFailure: It cannot be read, the passphrase is wrong, or the key cannot sign.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(_FILE_BYTES + 1)
    except OSError as error:
        raise SigningFailure(f"the key file {path}: {error.strerror}") from error
    if len(data) > _FILE_BYTES:
        raise SigningFailure(f"the key file {path} is larger than 64 KiB: it is not a key")
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except TypeError as error:
        raise SigningFailure(
            f"the key file {path} is not encrypted: expected PKCS #8 with a passphrase",
            hint="replace this key: it was on a disk without encryption",
        ) from error
    except ValueError as error:
        raise SigningFailure(
            f"the key file {path} cannot be opened: the passphrase is wrong, or it is not an"
            " encrypted PKCS #8 file"
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SigningFailure(f"the key file {path} has no RSA or elliptic-curve key for ECDSA")
    return LocalSigner(key, path)


def _encrypted_pem(private_key: PrivateKey, passphrase: bytes) -> bytes:
    """RFC 5958 EncryptedPrivateKeyInfo with PBES2 (RFC 8018), scrypt (RFC 7914) and AES-256-CBC."""
    plain = private_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    salt, vector = os.urandom(16), os.urandom(16)
    derived = Scrypt(salt, 32, _SCRYPT_COST, _SCRYPT_BLOCKS, _SCRYPT_ROUNDS).derive(passphrase)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    cipher = Cipher(algorithms.AES(derived), modes.CBC(vector)).encryptor()
    secret = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()

    derivation = _sequence(
        univ.OctetString(salt),
        univ.Integer(_SCRYPT_COST),
        univ.Integer(_SCRYPT_BLOCKS),
        univ.Integer(_SCRYPT_ROUNDS),
    )
    encryption = _sequence(
        _PBES2,
        _sequence(
            _sequence(_SCRYPT, derivation), _sequence(_AES_256_CBC, univ.OctetString(vector))
        ),
    )
    envelope = _sequence(encryption, univ.OctetString(secret))
    return _pem(b"ENCRYPTED PRIVATE KEY", encoder.encode(envelope))


def _sequence(*parts: base.Asn1Item) -> univ.Sequence:
    sequence = univ.Sequence()
    for position, part in enumerate(parts):
        sequence.setComponentByPosition(position, part)
    return sequence


def _pem(label: bytes, der: bytes) -> bytes:
    """RFC 7468, lines of 64 characters."""
    text = base64.b64encode(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN %s-----" % label, *lines, b"-----END %s-----" % label, b""])
