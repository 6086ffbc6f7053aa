"""Signers: one interface for private keys, in files or at AWS KMS.

A ``Signer`` signs a digest, never the data: AWS KMS accepts nothing larger, and no other key needs
more. Other modules write the formats around the signature (OpenPGP, TUF, Authenticode). They
do not depend on where a key is.
"""

from collections.abc import Callable
from typing import Final, Literal, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from awstoe_signing.failure import SigningFailure

HashName = Literal["sha256", "sha384", "sha512"]
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

HASHES: Final[dict[HashName, Callable[[], hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class Signer(Protocol):
    """A private key that signs digests."""

    @property
    def name(self) -> str:
        """The key's name, for messages."""

    @property
    def public_key(self) -> PublicKey:
        """Its public half."""

    def sign_digest(self, digest: bytes, hash_name: HashName) -> bytes:
        """Sign a digest.

        Args:
            digest: 32, 48 or 64 bytes.
            hash_name: The hash function that made it.

        Returns:
            RSA: PKCS #1 v1.5, as long as the modulus. ECDSA: the DER of its two numbers.

        Raises:
            SigningFailure: The key does not sign such digests, or cannot be reached.
        """


class LocalSigner:
    """A private key in this process's memory."""

    def __init__(self, private_key: PrivateKey, name: str) -> None:
        self._private_key = private_key
        self.name = name
        self.public_key: PublicKey = private_key.public_key()

    def sign_digest(self, digest: bytes, hash_name: HashName) -> bytes:
        check_digest(digest, hash_name)
        prehashed = utils.Prehashed(HASHES[hash_name]())
        if isinstance(self._private_key, rsa.RSAPrivateKey):
            return self._private_key.sign(digest, padding.PKCS1v15(), prehashed)
        return self._private_key.sign(digest, ec.ECDSA(prehashed))


def check_digest(digest: bytes, hash_name: HashName) -> None:
    """Check a digest's length before a key signs it.

    Raises:
        SigningFailure: The length is wrong.
    """
    expected = HASHES[hash_name]().digest_size
    if len(digest) != expected:
        raise SigningFailure(
            f"a {hash_name} digest has {expected} bytes, this one {len(digest)}: nothing signed"
        )


def verify_digest(key: PublicKey, signature: bytes, digest: bytes, hash_name: HashName) -> None:
    """Check a signature that a ``Signer`` made.

    Raises:
        cryptography.exceptions.InvalidSignature: It is not this key's signature of the digest.
    """
    prehashed = utils.Prehashed(HASHES[hash_name]())
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, digest, padding.PKCS1v15(), prehashed)
    else:
        key.verify(signature, digest, ec.ECDSA(prehashed))
