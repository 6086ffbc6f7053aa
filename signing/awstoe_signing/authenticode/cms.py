"""Makes CMS signatures with any ``Signer``; ``awstoe.trust.authenticode.cms`` verifies them."""

import hashlib
from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.codec.der import encoder
from pyasn1.type import base, univ

from awstoe.trust.authenticode import asn1, cms
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import Signer

_NULL = b"\x05\x00"
_SET = b"\x31"


def new(schema: univ.Sequence) -> univ.Sequence:
    """Return an empty structure to fill in."""
    return schema.clone()  # type: ignore[no-untyped-call,no-any-return]


def encode(value: base.Asn1Item) -> bytes:
    """Return the DER of a value."""
    return bytes(encoder.encode(value))


def octets(value: bytes) -> bytes:
    """Return the DER of an OCTET STRING."""
    return encode(univ.OctetString(value))


def identifier(value: str) -> bytes:
    """Return the DER of an OBJECT IDENTIFIER."""
    return encode(univ.ObjectIdentifier(value))


def digest_info(data: bytes) -> univ.Sequence:
    """Return the SHA-256 of data, with the algorithm's name."""
    return named_digest(hashlib.sha256(data).digest())


def named_digest(digest: bytes) -> univ.Sequence:
    """Return a SHA-256 digest with the algorithm's name."""
    info = new(asn1.DIGEST)
    _set_algorithm(info["algorithm"], asn1.SHA256, _NULL)
    info["digest"] = digest
    return info


def _set_algorithm(target: univ.Sequence, name: str, parameters: bytes) -> None:
    target["algorithm"] = name
    if parameters:
        target["parameters"] = parameters


def make_signed_data(
    kind: str,
    content: bytes,
    *,
    signer: Signer,
    certificates: Sequence[x509.Certificate],
    attributes: Mapping[str, bytes],
    version: int,
) -> univ.Sequence:
    """Sign content with SHA-256.

    Args:
        kind: The content's type: an object identifier.
        content: A complete ASN.1 value, as DER.
        signer: The key.
        certificates: The signer's first, then those that lead to a trusted one.
        attributes: What to sign besides the content's type and digest: DER values by name.
        version: The version of SignedData.

    Returns:
        SignedData. Pass it to ``content_info`` after adding everything else.

    Raises:
        SigningFailure: The certificate is for another key, or the key does not sign.
    """
    certificate = certificates[0]
    if certificate.public_key() != signer.public_key:
        raise SigningFailure(
            f"the certificate for {certificate.subject.rfc4514_string()} does not belong to the key"
            f" {signer.name}: nothing signed"
        )
    info = new(asn1.SIGNER_INFO)
    info["version"] = 1
    info["signer"]["issuer"] = certificate.issuer.public_bytes()
    info["signer"]["serial"] = certificate.serial_number
    _set_algorithm(info["digest"], asn1.SHA256, _NULL)
    digest = hashlib.sha256(cms.contents_of(content)).digest()
    signed = {
        asn1.CONTENT_TYPE: identifier(kind),
        asn1.MESSAGE_DIGEST: octets(digest),
        **attributes,
    }
    for number, (name, value) in enumerate(signed.items()):
        info["signed"][number]["type"] = name
        info["signed"][number]["values"][0] = value
    if isinstance(signer.public_key, rsa.RSAPublicKey):
        _set_algorithm(info["algorithm"], asn1.RSA_ENCRYPTION, _NULL)
    else:
        _set_algorithm(info["algorithm"], asn1.ECDSA[asn1.SHA256], b"")
    as_signed = _SET + encode(info["signed"])[1:]
    info["signature"] = signer.sign_digest(hashlib.sha256(as_signed).digest(), "sha256")

    data = new(asn1.SIGNED_DATA)
    data["version"] = version
    _set_algorithm(data["digests"][0], asn1.SHA256, _NULL)
    data["content"]["type"] = kind
    data["content"]["content"] = content
    for number, each in enumerate(certificates):
        data["certificates"][number] = each.public_bytes(Encoding.DER)
    data["signers"][0] = info
    return data


def content_info(signed_data: univ.Sequence) -> bytes:
    """Return the DER of a complete signature."""
    outer = new(asn1.CONTENT_INFO)
    outer["type"] = asn1.SIGNED_DATA_TYPE
    outer["content"] = encode(signed_data)
    return encode(outer)
