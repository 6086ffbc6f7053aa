"""Verifies CMS signatures: the structure that signs programs, and also timestamps.

Everything in it is accounted for: one signature, by an included certificate, over attributes that
each appear once. The parts that the signature does not cover (algorithm names next to it, versions,
more certificates) have exactly one accepted form each.

Source: RFC 5652 and RFC 5754.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyasn1.type import univ

from awstoe.errors import TrustError
from awstoe.trust.authenticode import asn1

HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    asn1.SHA256: hashes.SHA256,
    asn1.SHA384: hashes.SHA384,
    asn1.SHA512: hashes.SHA512,
}
"""The accepted hashes. All others are rejected, SHA-1 and MD5 first of all."""

CERTIFICATES: Final = 10
"""Limit for one signature. A chain has three or four; each takes a signature check."""

_NULL: Final = b"\x05\x00"
_SET: Final = b"\x31"
_LONG_FORM: Final = 0x80


class Signature(NamedTuple):
    """The parts of a signature. None of them can be trusted before ``check``."""

    what: str
    """Its name in messages."""
    kind: str
    """The type of the signed content: an object identifier."""
    content: bytes
    """The signed content, as an ASN.1 value."""
    certificates: tuple[x509.Certificate, ...]
    certificate: x509.Certificate
    """The one that made the signature."""
    hash_name: str
    """One of HASHES."""
    attributes: Mapping[str, bytes]
    """The signed attributes by their object identifiers; each has one value."""
    attributes_as_signed: bytes
    others: Mapping[str, bytes]
    """The unsigned attributes."""
    value: bytes


def read(data: bytes, *, what: str, version: int) -> Signature:
    """Read a signature.

    Args:
        data: One DER structure.
        what: Its name in messages.
        version: The version of SignedData: 1 for Authenticode, 3 for timestamps.

    Raises:
        TrustError: It does not contain exactly what one signature needs.
    """
    outer = asn1.decode(data, asn1.CONTENT_INFO, what)
    if str(outer["type"]) != asn1.SIGNED_DATA_TYPE:
        raise TrustError(f"the {what} is not SignedData")
    signed = asn1.decode(bytes(outer["content"]), asn1.SIGNED_DATA, what)
    if (len(signed["signers"]), len(signed["digests"])) != (1, 1):
        raise TrustError(f"the {what} contains {len(signed['signers'])} signatures; expected one")
    signer = signed["signers"][0]
    if (int(signed["version"]), int(signer["version"])) != (version, 1):
        raise TrustError(f"the {what} has versions that its format does not have")
    hash_name = read_hash_name(signer["digest"], what)
    if read_hash_name(signed["digests"][0], what) != hash_name:
        raise TrustError(f"the {what} names two different digest algorithms")
    certificates = _certificates(signed["certificates"], what)
    certificate = _find(certificates, signer["signer"], what)
    _check_algorithm(signer["algorithm"], certificate, hash_name, what)
    return Signature(
        what=what,
        kind=str(signed["content"]["type"]),
        content=bytes(signed["content"]["content"]),
        certificates=certificates,
        certificate=certificate,
        hash_name=hash_name,
        attributes=_attributes(signer["signed"], what),
        attributes_as_signed=_SET + asn1.encode_as_found(signer["signed"])[1:],
        others=_attributes(signer["unsigned"], what) if signer["unsigned"].isValue else {},
        value=bytes(signer["signature"]),
    )


def read_hash_name(algorithm: univ.Sequence, what: str) -> str:
    """Return the object identifier of a hash.

    Raises:
        TrustError: The hash is not accepted.
    """
    name = str(algorithm["algorithm"])
    if name not in HASHES:
        raise TrustError(f"the {what} uses digest {name}; expected SHA-256, SHA-384 or SHA-512")
    if _parameters(algorithm) not in {b"", _NULL}:
        raise TrustError(f"the {what} has parameters for its digest; expected none")
    return name


def _parameters(algorithm: univ.Sequence) -> bytes:
    return bytes(algorithm["parameters"]) if algorithm["parameters"].isValue else b""


def _certificates(found: univ.SetOf, what: str) -> tuple[x509.Certificate, ...]:
    encoded = [bytes(each) for each in found] if found.isValue else []
    if not 1 <= len(encoded) <= CERTIFICATES:
        raise TrustError(
            f"the {what} contains {len(encoded)} certificates; expected 1 to {CERTIFICATES}"
        )
    try:
        with warnings.catch_warnings():
            # The library warns about oddities that no release certificate needs.
            warnings.simplefilter("error")
            return tuple(map(_load, encoded))
    # The library raises a dozen types of errors for invalid certificates, without a common base.
    except Exception as error:
        raise TrustError(f"a certificate of the {what} cannot be read") from error


def _load(encoded: bytes) -> x509.Certificate:
    """Load a certificate, and read every part of it: the library parses each part on access."""
    certificate = x509.load_der_x509_certificate(encoded)
    for part in (
        *(certificate.subject, certificate.issuer, certificate.serial_number),
        *(certificate.not_valid_before_utc, certificate.not_valid_after_utc),
        *(certificate.extensions, certificate.public_key(), certificate.signature_hash_algorithm),
    ):
        del part
    certificate.subject.rfc4514_string()
    certificate.issuer.rfc4514_string()
    return certificate


def _find(
    certificates: tuple[x509.Certificate, ...],
    wanted: univ.Sequence,
    what: str,
) -> x509.Certificate:
    issuer, serial = bytes(wanted["issuer"]), int(wanted["serial"])
    for certificate in certificates:
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            return certificate
    raise TrustError(f"the {what} does not contain the certificate of its signer")


def _check_algorithm(
    algorithm: univ.Sequence,
    certificate: x509.Certificate,
    hash_name: str,
    what: str,
) -> None:
    named = (str(algorithm["algorithm"]), _parameters(algorithm))
    if isinstance(certificate.public_key(), rsa.RSAPublicKey):
        # RFC 5754 also has names that include the hash; only one name is accepted.
        expected = (asn1.RSA_ENCRYPTION, _NULL)
    else:
        expected = (asn1.ECDSA[hash_name], b"")
    if named != expected:
        raise TrustError(
            f"the {what} names signature algorithm {named[0]}, expected {expected[0]} for its key"
        )


def _attributes(found: univ.SetOf, what: str) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for attribute in found:
        name = str(attribute["type"])
        if name in values or len(attribute["values"]) != 1:
            raise TrustError(f"attribute {name} of the {what} does not have exactly one value")
        values[name] = bytes(attribute["values"][0])
    return values


def contents_of(value: bytes) -> bytes:
    """Return an ASN.1 value without its tag and length; ``decode`` has checked that it is one."""
    if not value[1:]:
        return b""
    length = value[1]
    return value[2 if length < _LONG_FORM else 2 + length - _LONG_FORM :]


def digest_of(hash_name: str, data: bytes) -> bytes:
    """Return the digest of ``data``.

    Args:
        hash_name: One of HASHES.
        data: Any bytes.
    """
    digest = hashes.Hash(HASHES[hash_name]())
    digest.update(data)
    return digest.finalize()


def check(signature: Signature) -> None:
    """Check that the certificate's key has signed the content. ``chain`` decides about trust.

    Raises:
        TrustError: It has not.
    """
    what = signature.what
    kind = asn1.decode(signature.attributes.get(asn1.CONTENT_TYPE, b""), asn1.OID, f"{what}'s type")
    if str(kind) != signature.kind:
        raise TrustError(f"the {what} was made for another type of content")
    stated = asn1.decode(
        signature.attributes.get(asn1.MESSAGE_DIGEST, b""), asn1.OCTETS, f"{what}'s digest"
    )
    if bytes(stated) != digest_of(signature.hash_name, contents_of(signature.content)):
        raise TrustError(f"the {what} was made for other content")
    key = signature.certificate.public_key()
    algorithm = HASHES[signature.hash_name]()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(
                signature.value, signature.attributes_as_signed, padding.PKCS1v15(), algorithm
            )
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature.value, signature.attributes_as_signed, ec.ECDSA(algorithm))
        else:
            raise TrustError(f"the {what} was made with a key that is neither RSA nor ECDSA")
    except InvalidSignature as error:
        raise TrustError(f"the {what} was not made with the key of its certificate") from error
