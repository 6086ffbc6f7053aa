"""OpenPGP public keys: reads their packets, computes fingerprints, checks signatures of digests.

Supports version 4 keys with RSA, or with Ed25519 as gpg and Sequoia write it (EdDSALegacy). Keys
with other algorithms are read as far as needed to skip them, and report why they cannot be used.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

from awstoe.trust.openpgp.packets import Malformed, Octets
from awstoe.trust.policy import LEAST_RSA_BITS

RSA: Final = frozenset({1, 3})
EDDSA: Final = 22
_ED25519: Final = bytes.fromhex("2b06010401da470f01")
_VERSION: Final = 4
_LEAST_OCTETS: Final = 12
"""gpg rejects shorter keys, and stops reading the key file there."""
_POINT_OCTETS: Final = 33
_POINT_PREFIX: Final = 0x40
_MOST_RSA_BITS: Final = 16384
_MOST_EXPONENT_BITS: Final = 64
"""Real keys have 17. The time of a check is proportional to it."""
_ED25519_COST: Final = 150
_RSA_COST: Final = 5_000_000
_ED25519_BITS: Final = 256
_ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_CURVES: Final = frozenset({18, 19, EDDSA})
_WITH_PARAMETERS: Final = 18
_NO_CURVE: Final = frozenset({0, 255})
_NUMBERS: Final = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4, 18: 1, 19: 1, EDDSA: 1}
"""Number of multiprecision integers in the keys of an algorithm."""
_NAMES: Final = {
    2: "RSA for encryption",
    16: "Elgamal",
    17: "DSA",
    18: "ECDH",
    19: "ECDSA",
    25: "X25519",
    27: "Ed25519",
}

_Key = rsa.RSAPublicKey | ed25519.Ed25519PublicKey

# Besides the accepted hashes, those that old self-signatures and revocations use: skipping such a
# revocation would mean trusting a key that its owner has revoked.
_HASHES: Final[dict[int, tuple[str, type[hashes.HashAlgorithm]]]] = {
    2: ("sha1", hashes.SHA1),
    8: ("sha256", hashes.SHA256),
    9: ("sha384", hashes.SHA384),
    10: ("sha512", hashes.SHA512),
    11: ("sha224", hashes.SHA224),
}


class Unsupported(Exception):
    """The signature cannot be checked: it is neither good nor bad."""


class Opened(NamedTuple):
    """What a key has signed, as far as its signature shows: to compare with any number of digests.

    One operation with the key is enough for RSA, so an attacker gains nothing from many user IDs.
    """

    holds: Callable[[bytes], bool]
    """Whether the signature is of this digest."""
    canonical: bool
    """Whether it is written in the only way that signers write it. Some programs accept others."""
    is_possible: bool = True
    """Whether the key has signed anything with it."""
    cost: int = 0
    """The time of each comparison, in units of about a microsecond."""


class PublicKey:
    """One key or subkey.

    Args:
        body: The body of its packet.

    Raises:
        Malformed: It is not a version 4 key.
    """

    def __init__(self, body: bytes) -> None:
        octets = Octets(body, "a public key")
        version = octets.number(1)
        if version != _VERSION:
            raise Malformed(f"a public key has version {version}; expected {_VERSION}")
        if len(body) < _LEAST_OCTETS:
            raise Malformed(f"a public key has {len(body)} bytes; expected {_LEAST_OCTETS} or more")
        self.body = body
        self.created = octets.number(4)
        self.algorithm = octets.number(1)
        self._material = octets.rest()
        _check_structure(self.algorithm, self._material)
        self.fingerprint = hashlib.sha1(self.hashed, usedforsecurity=False).hexdigest().upper()

    @property
    def hashed(self) -> bytes:
        """The bytes that represent the key in a digest (RFC 9580, 5.2.4)."""
        return b"\x99" + len(self.body).to_bytes(2, "big") + self.body

    @property
    def key_id(self) -> str:
        """The last 16 digits of the fingerprint."""
        return self.fingerprint[-16:]

    @cached_property
    def weakness(self) -> str:
        """Why no signature of this key is accepted; empty if they are."""
        try:
            key = self._key
        except (Malformed, Unsupported) as error:
            return str(error)
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
            return f"the key has RSA with {key.key_size} bits; expected {LEAST_RSA_BITS} or more"
        return ""

    @property
    def cost(self) -> int:
        """The time of one operation, in units of about a microsecond."""
        key = self._key
        if isinstance(key, rsa.RSAPublicKey):
            exponent_bits = key.public_numbers().e.bit_length()
            return _ED25519_COST + key.key_size**2 * exponent_bits // _RSA_COST
        return _ED25519_COST

    @cached_property
    def _key(self) -> _Key:
        octets = Octets(self._material, "a public key")
        if self.algorithm in RSA:
            modulus, exponent = octets.mpi(), octets.mpi()
            octets.end()
            return _rsa(modulus, exponent)
        if self.algorithm == EDDSA:
            curve = octets.take(octets.number(1))
            if curve != _ED25519:
                raise Unsupported("the key has EdDSA on a curve other than Ed25519")
            point = octets.mpi()
            octets.end()
            return _ed25519(point)
        name = _NAMES.get(self.algorithm, f"algorithm {self.algorithm}")
        raise Unsupported(f"the key has {name}; expected RSA or Ed25519 (EdDSA)")

    def check(self, digest: bytes, hash_algorithm: int, value: bytes) -> bool:
        """Whether ``value`` is this key's signature of ``digest``.

        Args:
            digest: The digest of the signed data.
            hash_algorithm: The OpenPGP number of the hash that made it.
            value: The integers at the end of a signature packet.

        Raises:
            Unsupported: It cannot be checked.
        """
        if hash_algorithm not in _HASHES:
            raise Unsupported("the hash algorithm is not supported")
        octets = Octets(value, "a signature")
        try:
            key = self._key
            if isinstance(key, rsa.RSAPublicKey):
                number = octets.mpi()
                octets.end()
                raw = number.to_bytes((key.key_size + 7) // 8, "big")
                prehashed = utils.Prehashed(_HASHES[hash_algorithm][1]())
                key.verify(raw, digest, padding.PKCS1v15(), prehashed)
            else:
                point, scalar = octets.mpi(), octets.mpi()
                octets.end()
                key.verify(point.to_bytes(32, "big") + scalar.to_bytes(32, "big"), digest)
        except (InvalidSignature, Malformed, OverflowError):
            return False
        return True

    def opened(self, hash_algorithm: int, value: bytes) -> Opened:
        """Return what a signature of this key is of; ``check`` is stricter, and for one digest.

        What gpg accepts counts here, also if no signer writes it: a number with the modulus added
        is no reason to overlook a revocation.

        Args:
            hash_algorithm: The OpenPGP number of the hash that made the digest.
            value: The integers at the end of a signature packet.

        Raises:
            Unsupported: It cannot be checked.
            Malformed: The integers violate the format.
        """
        if hash_algorithm not in _HASHES:
            raise Unsupported("the hash algorithm is not supported")
        octets = Octets(value, "a signature")
        key = self._key
        if isinstance(key, rsa.RSAPublicKey):
            number = octets.mpi()
            octets.end()
            modulus = key.public_numbers().n
            raw = (number % modulus).to_bytes((key.key_size + 7) // 8, "big")
            found = _recovered(key, raw, _HASHES[hash_algorithm][1]())
            return Opened(found.__eq__, number < modulus, is_possible=found is not None)
        point, scalar = octets.mpi(), octets.mpi()
        octets.end()
        if point.bit_length() > _ED25519_BITS or scalar.bit_length() > _ED25519_BITS:
            raise Malformed("an Ed25519 signature has a number with a wrong length")
        encoded = point.to_bytes(32, "big")
        reduced = int.from_bytes(scalar.to_bytes(32, "big"), "little")
        raw = encoded + (reduced % _ED25519_ORDER).to_bytes(32, "little")
        return Opened(
            lambda digest: _is_ed25519_of(key, raw, digest),
            reduced < _ED25519_ORDER,
            cost=_ED25519_COST,
        )


def _recovered(key: rsa.RSAPublicKey, raw: bytes, algorithm: hashes.HashAlgorithm) -> bytes | None:
    """Return the digest in an RSA signature."""
    try:
        return key.recover_data_from_signature(raw, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return None


def _is_ed25519_of(key: ed25519.Ed25519PublicKey, raw: bytes, digest: bytes) -> bool:
    try:
        key.verify(raw, digest)
    except InvalidSignature:
        return False
    return True


def _check_structure(algorithm: int, material: bytes) -> None:
    """Check that a key of a known algorithm has the structure of such keys.

    Raises:
        Malformed: It has not.
    """
    if algorithm not in _NUMBERS:
        return
    octets = Octets(material, "a public key")
    if algorithm in _CURVES:
        length = octets.number(1)
        if length in _NO_CURVE:
            raise Malformed("a public key does not name its curve")
        octets.take(length)
    for _ in range(_NUMBERS[algorithm]):
        octets.mpi()
    if algorithm == _WITH_PARAMETERS:
        octets.take(octets.number(1))
    octets.end()


def digester(hash_algorithm: int) -> "hashlib._Hash":
    """Return a new digest for an OpenPGP hash number.

    Raises:
        Unsupported: The hash is not supported.
    """
    if hash_algorithm not in _HASHES:
        raise Unsupported("the hash algorithm is not supported")
    return hashlib.new(_HASHES[hash_algorithm][0], usedforsecurity=False)


def _rsa(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    if modulus.bit_length() > _MOST_RSA_BITS:
        raise Malformed(
            f"an RSA key has {modulus.bit_length()} bits; the limit is {_MOST_RSA_BITS}"
        )
    if exponent.bit_length() > _MOST_EXPONENT_BITS:
        raise Malformed(
            f"an RSA key has an exponent of {exponent.bit_length()} bits; the limit is"
            f" {_MOST_EXPONENT_BITS}"
        )
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise Malformed(f"an RSA key has impossible numbers: {error}") from error


def _ed25519(point: int) -> ed25519.Ed25519PublicKey:
    try:
        octets = point.to_bytes(_POINT_OCTETS, "big")
        if octets[0] != _POINT_PREFIX:
            raise Malformed("an Ed25519 key has a point in an unknown format")
        return ed25519.Ed25519PublicKey.from_public_bytes(octets[1:])
    except (OverflowError, ValueError) as error:
        raise Malformed("an Ed25519 key has a point with a wrong length") from error
