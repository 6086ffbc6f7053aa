"""Verifies RFC 3161 timestamps: an authority's statement that a signature existed at a time."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyasn1.type import useful

from awstoe.errors import TrustError
from awstoe.trust.authenticode import asn1, chain, cms

WHAT: Final = "timestamp"


class TimeStamp(NamedTuple):
    """A timestamp whose signature is checked. Whether its authority is trusted is not."""

    time: datetime
    """The time in UTC."""
    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    nonce: int | None


def read(token: bytes, stamped: bytes) -> TimeStamp:
    """Read and check a timestamp.

    Args:
        token: TimeStampToken, as DER.
        stamped: What it must cover: the value of a signature.

    Raises:
        TrustError: It covers something else, or is not correctly signed.
    """
    signature = cms.read(token, what=WHAT, version=3)
    if signature.others:
        raise TrustError("the timestamp has unsigned attributes")
    if signature.kind != asn1.TST_INFO_TYPE:
        raise TrustError("the timestamp is a signature of something else")
    content = bytes(asn1.decode(signature.content, asn1.OCTETS, WHAT))
    info = asn1.decode(content, asn1.TST_INFO, WHAT)
    hash_name = cms.read_hash_name(info["imprint"]["algorithm"], WHAT)
    if bytes(info["imprint"]["digest"]) != cms.digest_of(hash_name, stamped):
        raise TrustError("the timestamp is of another signature")
    if int(info["version"]) != 1 or info["extensions"].isValue:
        raise TrustError("the timestamp has a version or extensions that are not supported")
    _check_named(signature)
    chain.check_signer(signature.certificate, chain.TIME_STAMPING)
    cms.check(signature)
    nonce = int(info["nonce"]) if info["nonce"].isValue else None
    return TimeStamp(_time(info["time"]), signature.certificate, signature.certificates, nonce)


def _time(value: useful.GeneralizedTime) -> datetime:
    text = str(value)
    form = "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ"
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as error:
        raise TrustError(f"the timestamp has a time that cannot be read: {text!r}") from error


def _check_named(signature: cms.Signature) -> None:
    """Check that the signed attributes name the certificate, so no other one with its key works."""
    certificate = signature.certificate
    second = signature.attributes.get(asn1.ESS_CERTIFICATE_V2)
    if second is not None:
        named = asn1.decode(second, asn1.ESS_CERTIFICATES_V2, WHAT)["certificates"][0]
        hash_name = asn1.SHA256
        if named["algorithm"].isValue:
            hash_name = cms.read_hash_name(named["algorithm"], WHAT)
        good = bytes(named["hash"]) == certificate.fingerprint(cms.HASHES[hash_name]())
    else:
        first = signature.attributes.get(asn1.ESS_CERTIFICATE, b"")
        named = asn1.decode(first, asn1.ESS_CERTIFICATES, WHAT)["certificates"][0]
        # The first version of this attribute always uses SHA-1. The signature does not.
        good = bytes(named["hash"]) == certificate.fingerprint(hashes.SHA1())  # noqa: S303
    if not good:
        raise TrustError("the timestamp names a certificate other than the one that signed it")
