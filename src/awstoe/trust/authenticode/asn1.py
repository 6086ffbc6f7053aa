"""The ASN.1 structures of Authenticode signatures and RFC 3161 timestamps, read strictly.

The schemas are our own, not those of pyasn1-modules: a signature covers exact bytes, which ``Any``
preserves, and ``cryptography`` reads the certificates. The input must be valid DER. pyasn1 is
lenient about that, so every structure is encoded again and compared: there is only one encoding of
each. The order within sets is not checked, because signers do not sort certificates.

Source: RFC 5652 (CMS), RFC 3161, RFC 5035, and Microsoft's "Windows Authenticode Portable
Executable Signature Format".
"""

from typing import Any, Final, TypeVar

from pyasn1.codec.ber import encoder as ber_encoder
from pyasn1.codec.der import decoder
from pyasn1.codec.der import encoder as der_encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import base, namedtype, tag, univ, useful

from awstoe.errors import TrustError

SIGNED_DATA_TYPE: Final = "1.2.840.113549.1.7.2"
INDIRECT_DATA_TYPE: Final = "1.3.6.1.4.1.311.2.1.4"
PE_IMAGE: Final = "1.3.6.1.4.1.311.2.1.15"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
TIME_STAMP: Final = "1.3.6.1.4.1.311.3.3.1"
TST_INFO_TYPE: Final = "1.2.840.113549.1.9.16.1.4"
ESS_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
ESS_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
SHA384: Final = "2.16.840.1.101.3.4.2.2"
SHA512: Final = "2.16.840.1.101.3.4.2.3"
ECDSA: Final = {
    SHA256: "1.2.840.10045.4.3.2",
    SHA384: "1.2.840.10045.4.3.3",
    SHA512: "1.2.840.10045.4.3.4",
}

Schema = TypeVar("Schema", bound=base.Asn1Item)
field: Final = namedtype.NamedType
optional: Final = namedtype.OptionalNamedType


def sequence(*fields: namedtype.NamedType) -> univ.Sequence:
    """Return the schema of a SEQUENCE with these fields."""
    return univ.Sequence(componentType=namedtype.NamedTypes(*fields))


def set_of(item: base.Asn1Type) -> univ.SetOf:
    """Return the schema of a SET OF ``item``."""
    return univ.SetOf(componentType=item)


def sequence_of(item: base.Asn1Type) -> univ.SequenceOf:
    """Return the schema of a SEQUENCE OF ``item``."""
    return univ.SequenceOf(componentType=item)


def implicit(number: int, schema: Schema) -> Schema:
    """Return the schema with a context tag instead of its own (IMPLICIT)."""
    form = tag.tagFormatConstructed
    if isinstance(schema, base.SimpleAsn1Type):
        form = tag.tagFormatSimple
    tagged = tag.Tag(tag.tagClassContext, form, number)
    return schema.subtype(implicitTag=tagged)  # type: ignore[attr-defined,no-any-return]


def explicit(number: int, schema: Schema) -> Schema:
    """Return the schema wrapped in a context tag (EXPLICIT)."""
    tagged = tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number)
    return schema.subtype(explicitTag=tagged)  # type: ignore[attr-defined,no-any-return]


OID: Final = univ.ObjectIdentifier()
OCTETS: Final = univ.OctetString()
TIME: Final = useful.GeneralizedTime()

ALGORITHM: Final = sequence(
    field("algorithm", OID),
    optional("parameters", univ.Any()),
)
"""AlgorithmIdentifier. SpcAttributeTypeAndOptionalValue has the same shape."""

ATTRIBUTES: Final = set_of(
    sequence(
        field("type", OID),
        field("values", set_of(univ.Any())),
    )
)
"""Signed or unsigned attributes."""

SIGNER_INFO: Final = sequence(
    field("version", univ.Integer()),
    field("signer", sequence(field("issuer", univ.Any()), field("serial", univ.Integer()))),
    field("digest", ALGORITHM),
    field("signed", implicit(0, ATTRIBUTES)),
    field("algorithm", ALGORITHM),
    field("signature", OCTETS),
    optional("unsigned", implicit(1, ATTRIBUTES)),
)
"""One signature; issuer and serial number identify its certificate."""

CONTENT_INFO: Final = sequence(
    field("type", OID),
    field("content", explicit(0, univ.Any())),
)
"""A structure and its type: the outermost layer, and the one around the signed content."""

SIGNED_DATA: Final = sequence(
    field("version", univ.Integer()),
    field("digests", set_of(ALGORITHM)),
    field("content", CONTENT_INFO),
    optional("certificates", implicit(0, set_of(univ.Any()))),
    field("signers", set_of(SIGNER_INFO)),
)
"""Signed content, certificates, signatures. Revocation lists are not accepted."""

DIGEST: Final = sequence(field("algorithm", ALGORITHM), field("digest", OCTETS))
"""DigestInfo, and MessageImprint of timestamps."""

INDIRECT_DATA: Final = sequence(field("data", ALGORITHM), field("digest", DIGEST))
"""SpcIndirectDataContent: the type of the signed file, and its digest."""

PE_IMAGE_DATA: Final = sequence(
    field("flags", univ.BitString()),
    field("file", explicit(0, univ.Any())),
)
"""SpcPeImageData: which parts of the program are signed, and a link."""

TST_INFO: Final = sequence(
    field("version", univ.Integer()),
    field("policy", OID),
    field("imprint", DIGEST),
    field("serial", univ.Integer()),
    field("time", TIME),
    optional(
        "accuracy",
        sequence(
            optional("seconds", univ.Integer()),
            optional("millis", implicit(0, univ.Integer())),
            optional("micros", implicit(1, univ.Integer())),
        ),
    ),
    namedtype.DefaultedNamedType("ordering", univ.Boolean(value=False)),
    optional("nonce", univ.Integer()),
    optional("authority", explicit(0, univ.Any())),
    optional("extensions", implicit(1, sequence_of(univ.Any()))),
)
"""TSTInfo: the content of a timestamp."""

ESS_CERTIFICATES: Final = sequence(
    field(
        "certificates",
        sequence_of(sequence(field("hash", OCTETS), optional("issuer", sequence_of(univ.Any())))),
    ),
    optional("policies", sequence_of(univ.Any())),
)
"""SigningCertificate: the certificates that signed a timestamp, by SHA-1."""

ESS_CERTIFICATES_V2: Final = sequence(
    field(
        "certificates",
        sequence_of(
            sequence(
                optional("algorithm", ALGORITHM),
                field("hash", OCTETS),
                optional("issuer", sequence_of(univ.Any())),
            )
        ),
    ),
    optional("policies", sequence_of(univ.Any())),
)
"""SigningCertificateV2: the same by any hash; SHA-256 if none is named."""


class _AsFoundItem(der_encoder.SingleItemEncoder):
    """DER, except for the order within sets."""

    TAG_MAP = der_encoder.TAG_MAP | {univ.SetOf.tagSet: ber_encoder.SequenceOfEncoder()}
    TYPE_MAP = der_encoder.TYPE_MAP | {univ.SetOf.typeId: ber_encoder.SequenceOfEncoder()}


class _AsFound(der_encoder.Encoder):
    SINGLE_ITEM_ENCODER = _AsFoundItem


_as_found: Final = _AsFound()


def decode(data: bytes, schema: base.Asn1Item, what: str) -> Any:  # noqa: ANN401 - as pyasn1 does
    """Read exactly one structure, with nothing after it.

    Args:
        data: The bytes.
        schema: The expected structure.
        what: Its name in messages.

    Returns:
        A value of the schema.

    Raises:
        TrustError: The bytes are not the DER encoding of such a structure.
    """
    try:
        value, rest = decoder.decode(data, asn1Spec=schema)
        same = not rest and _as_found(value) == data
    # pyasn1 does not catch all of these for invalid input.
    except (PyAsn1Error, ValueError, TypeError, LookupError, OverflowError) as error:
        raise TrustError(f"the {what} cannot be read") from error
    if not same:
        raise TrustError(f"the {what} is not encoded as DER")
    return value


def encode_as_found(value: base.Asn1Item) -> bytes:
    """Return the bytes that a value was read from."""
    return bytes(_as_found(value))
