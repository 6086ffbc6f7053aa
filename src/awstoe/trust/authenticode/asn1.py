"""The ASN.1 structures of Authenticode signatures and RFC 3161 time stamps, read strictly.

The schemas are our own, not those of pyasn1-modules: a signature speaks for exact bytes, which
``Any`` keeps, and certificates are left to ``cryptography``. What is read must be what DER would
write. pyasn1 is lenient there, so every structure is encoded again and compared: no byte has a
second spelling. Only the order within sets is kept as found: signers do not sort certificates.

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
    """A SEQUENCE with these fields."""
    return univ.Sequence(componentType=namedtype.NamedTypes(*fields))


def set_of(item: base.Asn1Type) -> univ.SetOf:
    """A SET OF one kind."""
    return univ.SetOf(componentType=item)


def sequence_of(item: base.Asn1Type) -> univ.SequenceOf:
    """A SEQUENCE OF one kind."""
    return univ.SequenceOf(componentType=item)


def implicit(number: int, schema: Schema) -> Schema:
    """The schema, with a tag of the context instead of its own."""
    form = tag.tagFormatConstructed
    if isinstance(schema, base.SimpleAsn1Type):
        form = tag.tagFormatSimple
    tagged = tag.Tag(tag.tagClassContext, form, number)
    return schema.subtype(implicitTag=tagged)  # type: ignore[attr-defined,no-any-return]


def explicit(number: int, schema: Schema) -> Schema:
    """The schema, within a tag of the context."""
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
"""Statements that are signed, or that stand beside a signature."""

SIGNER_INFO: Final = sequence(
    field("version", univ.Integer()),
    field("signer", sequence(field("issuer", univ.Any()), field("serial", univ.Integer()))),
    field("digest", ALGORITHM),
    field("signed", implicit(0, ATTRIBUTES)),
    field("algorithm", ALGORITHM),
    field("signature", OCTETS),
    optional("unsigned", implicit(1, ATTRIBUTES)),
)
"""One signature, whose certificate is named by its issuer and number."""

CONTENT_INFO: Final = sequence(
    field("type", OID),
    field("content", explicit(0, univ.Any())),
)
"""A structure and its kind: the outermost layer, and the one around what is signed."""

SIGNED_DATA: Final = sequence(
    field("version", univ.Integer()),
    field("digests", set_of(ALGORITHM)),
    field("content", CONTENT_INFO),
    optional("certificates", implicit(0, set_of(univ.Any()))),
    field("signers", set_of(SIGNER_INFO)),
)
"""What is signed, certificates, signatures. Revocation lists have no place here."""

DIGEST: Final = sequence(field("algorithm", ALGORITHM), field("digest", OCTETS))
"""DigestInfo, and MessageImprint of time stamps."""

INDIRECT_DATA: Final = sequence(field("data", ALGORITHM), field("digest", DIGEST))
"""SpcIndirectDataContent: what kind of file is signed, and its digest."""

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
"""What a time stamp says."""

ESS_CERTIFICATES: Final = sequence(
    field(
        "certificates",
        sequence_of(sequence(field("hash", OCTETS), optional("issuer", sequence_of(univ.Any())))),
    ),
    optional("policies", sequence_of(univ.Any())),
)
"""SigningCertificate: which certificates a time stamp is signed with, by SHA-1."""

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
"""SigningCertificateV2: the same by any hash, SHA-256 when none is named."""


class _AsFoundItem(der_encoder.SingleItemEncoder):
    """DER, but for the order within sets."""

    TAG_MAP = der_encoder.TAG_MAP | {univ.SetOf.tagSet: ber_encoder.SequenceOfEncoder()}
    TYPE_MAP = der_encoder.TYPE_MAP | {univ.SetOf.typeId: ber_encoder.SequenceOfEncoder()}


class _AsFound(der_encoder.Encoder):
    SINGLE_ITEM_ENCODER = _AsFoundItem


_as_found: Final = _AsFound()


def decode(data: bytes, schema: base.Asn1Item, what: str) -> Any:  # noqa: ANN401 - as pyasn1 does
    """Read a structure, exactly one and nothing behind it.

    Args:
        data: The bytes.
        schema: What is expected.
        what: How to call it in a message.

    Returns:
        A value of the schema.

    Raises:
        TrustError: The bytes are not the one DER form of such a structure.
    """
    try:
        value, rest = decoder.decode(data, asn1Spec=schema)
        same = not rest and _as_found(value) == data
    # What pyasn1 lets through from below it when bytes make no sense.
    except (PyAsn1Error, ValueError, TypeError, LookupError, OverflowError) as error:
        raise TrustError(f"the {what} cannot be read") from error
    if not same:
        raise TrustError(f"the {what} is not in the form that DER prescribes")
    return value


def encode_as_found(value: base.Asn1Item) -> bytes:
    """The bytes that a value was read from."""
    return bytes(_as_found(value))
