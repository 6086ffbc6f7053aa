"""Builds the chain from a signer's certificate to a trusted one.

The rules are stricter than those of RFC 5280: features that a chain of three or four certificates
does not need (name constraints, unknown critical extensions) are rejected, not interpreted.
Revocation lists are not checked, because verification does not use the network. Instead, callers
can list the trusted signers, and leave out the revoked ones.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import (
    ExtendedKeyUsageOID,
    ExtensionOID,
    PublicKeyAlgorithmOID,
    SignatureAlgorithmOID,
)

from awstoe.errors import TrustError

RSA_BITS: Final = 3072
"""Smallest RSA key: about as strong as SHA-256 and P-256."""

_CURVES: Final = ("secp256r1", "secp384r1")
_SIGNATURES: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
"""Accepted signatures of certificates. Why RSA-PSS is not among them:
docs/adr/0011-own-authenticode-signatures.md."""
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,  # any policy is accepted
    }
)


class Purpose(NamedTuple):
    """What a certificate may be used for."""

    usage: x509.ObjectIdentifier
    exclusively: bool
    """Whether this must be its only usage, in a critical extension (RFC 3161 for timestamps)."""
    description: str
    """The purpose in messages."""


CODE_SIGNING: Final = Purpose(
    ExtendedKeyUsageOID.CODE_SIGNING, exclusively=False, description="code signing"
)
TIME_STAMPING: Final = Purpose(
    ExtendedKeyUsageOID.TIME_STAMPING, exclusively=True, description="timestamping"
)

LIFETIME_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.13")
"""Microsoft's usage for certificates whose signatures expire with them."""


class _Extensions(NamedTuple):
    """The extensions of a certificate that are checked."""

    constraints: x509.BasicConstraints | None
    usage: x509.KeyUsage | None
    extended: x509.Extension[x509.ExtendedKeyUsage] | None


def name_of(certificate: x509.Certificate) -> str:
    """Return the name of a certificate's subject for messages."""
    for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        return str(attribute.value)
    return certificate.subject.rfc4514_string()


def sha256_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, 64 digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def check_signer(certificate: x509.Certificate, purpose: Purpose) -> None:
    """Check that a certificate may make this kind of signature.

    Raises:
        TrustError: It may not.
    """
    name = name_of(certificate)
    extensions = _extensions(certificate)
    _check_key(certificate)
    if extensions.constraints and extensions.constraints.ca:
        raise TrustError(f"the certificate \"{name}\" is an authority's, not a signer's")
    if extensions.usage and not extensions.usage.digital_signature:
        raise TrustError(f'the certificate "{name}" is not for signatures')
    extended = extensions.extended
    if extended is None or purpose.usage not in extended.value:
        raise TrustError(f'the certificate "{name}" is not for {purpose.description}')
    if purpose.exclusively and (len(list(extended.value)) != 1 or not extended.critical):
        raise TrustError(f'the certificate "{name}" is not exclusively for {purpose.description}')


def is_for_lifetime(certificate: x509.Certificate) -> bool:
    """Whether the signatures of a certificate expire with it, regardless of a timestamp."""
    extended = _extensions(certificate).extended
    return extended is not None and LIFETIME_SIGNING in extended.value


def check_time(certificate: x509.Certificate, at: datetime) -> None:
    """Check that a certificate is valid at a time.

    Raises:
        TrustError: It is not valid yet, or has expired.
    """
    name = name_of(certificate)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at < begin:
        raise TrustError(f'the certificate "{name}" is valid from {begin}, but the time is {at}')
    if at >= end:  # RFC 5280 includes the last second, OpenSSL does not
        raise TrustError(f'the certificate "{name}" expired at {end}, and the time is {at}')


def find(
    certificate: x509.Certificate,
    embedded: Collection[x509.Certificate],
    roots: Sequence[x509.Certificate],
    purpose: Purpose,
    at: datetime,
) -> list[x509.Certificate]:
    """Find the chain from a signer's certificate to a trusted one.

    Args:
        certificate: The signer's certificate.
        embedded: The certificates in the signature.
        roots: The trusted certificates.
        purpose: What the signature is for.
        at: The time at which all of them must be valid.

    Returns:
        The signer's certificate, the ones in between, the trusted one.

    Raises:
        TrustError: There is no chain; the message has the reason of the last one tried.
    """
    check_signer(certificate, purpose)
    check_time(certificate, at)
    return _extend([certificate], embedded, roots, purpose, at)


def _extend(
    chain: list[x509.Certificate],
    embedded: Collection[x509.Certificate],
    roots: Sequence[x509.Certificate],
    purpose: Purpose,
    at: datetime,
) -> list[x509.Certificate]:
    if chain[-1] in roots:
        return chain
    reason = TrustError(
        f'the certificate "{name_of(chain[-1])}", issued by'
        f' "{chain[-1].issuer.rfc4514_string()}", does not lead to a trusted authority'
    )
    for issuer in (*roots, *(each for each in embedded if each not in roots)):
        if issuer in chain or not _issued(issuer, chain[-1]):
            continue
        try:
            _check_signature(chain[-1])
            _check_authority(issuer, len(chain) - 1, purpose)
            check_time(issuer, at)
            return _extend([*chain, issuer], embedded, roots, purpose, at)
        except TrustError as error:
            reason = error
    raise reason


def without_roots(
    certificate: x509.Certificate, embedded: Collection[x509.Certificate], purpose: Purpose
) -> list[x509.Certificate]:
    """Return the chain that the included certificates form, for a signer that is trusted itself."""
    check_signer(certificate, purpose)
    chain = [certificate]
    while issuers := [each for each in embedded if each not in chain and _issued(each, chain[-1])]:
        _check_signature(chain[-1])
        chain.append(issuers[0])
    return chain


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether ``issuer`` has signed ``certificate``, with any algorithm."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_signature(certificate: x509.Certificate) -> None:
    """Check how a certificate is signed. A trusted one is not checked: it needs no signature."""
    algorithm = certificate.signature_algorithm_oid
    if algorithm not in _SIGNATURES:
        raise TrustError(
            f'the certificate "{name_of(certificate)}" is signed with {algorithm.dotted_string};'
            " expected RSA (PKCS #1 v1.5) or ECDSA with SHA-256, SHA-384 or SHA-512"
        )


def _check_authority(certificate: x509.Certificate, below: int, purpose: Purpose) -> None:
    """Check that an authority may issue for a purpose, with ``below`` authorities below it."""
    name = name_of(certificate)
    extensions = _extensions(certificate)
    _check_key(certificate)
    constraints = extensions.constraints
    if constraints is None or not constraints.ca:
        raise TrustError(f'the certificate "{name}" is not an authority\'s, but has issued one')
    if constraints.path_length is not None and constraints.path_length < below:
        raise TrustError(f'the authority "{name}" may not have so many others below it')
    if extensions.usage and not extensions.usage.key_cert_sign:
        raise TrustError(f'the authority "{name}" may not issue certificates')
    usages = {purpose.usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extensions.extended and usages.isdisjoint(extensions.extended.value):
        raise TrustError(
            f'the authority "{name}" may not issue certificates for {purpose.description}'
        )


def _check_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        good, found = False, "for RSA-PSS only"
    elif isinstance(key, rsa.RSAPublicKey):
        good, found = key.key_size >= RSA_BITS, f"RSA with {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        good, found = key.curve.name in _CURVES, f"the curve {key.curve.name}"
    else:
        good, found = False, "of another kind"
    if not good:
        raise TrustError(
            f'the key of "{name_of(certificate)}" is {found};'
            f" expected RSA with at least {RSA_BITS} bits, or P-256 or P-384"
        )


def _extensions(certificate: x509.Certificate) -> _Extensions:
    name = name_of(certificate)
    found = {each.oid: each for each in certificate.extensions}
    for oid, extension in found.items():
        if oid not in _UNDERSTOOD and (extension.critical or oid == ExtensionOID.NAME_CONSTRAINTS):
            raise TrustError(
                f'the certificate "{name}" has an extension that is not supported:'
                f" {oid.dotted_string}"
            )
    constraints = found.get(ExtensionOID.BASIC_CONSTRAINTS)
    usage = found.get(ExtensionOID.KEY_USAGE)
    return _Extensions(
        constraints.value if constraints else None,
        usage.value if usage else None,
        found.get(ExtensionOID.EXTENDED_KEY_USAGE),
    )
