"""Certificates for Authenticode: requests for a public authority, or our own authority.

A rehearsal makes everything itself. For a real release, send the ``request`` to an authority that
Windows trusts. All of it works with any ``Signer`` that has an RSA key, including those of AWS KMS:
``cryptography`` gets a private key object that passes the signing on to the ``Signer``.
"""

from datetime import datetime
from typing import Final, NamedTuple, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from awstoe.trust.authenticode.chain import Purpose
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import PublicKey, Signer

_HASH: Final = hashes.SHA256


class Authority(NamedTuple):
    """An authority that issues certificates."""

    signer: Signer
    certificate: x509.Certificate


class Validity(NamedTuple):
    """The start and end of a validity, with time zones."""

    begin: datetime
    end: datetime


class _SigningKey(rsa.RSAPrivateKey):
    """A private key that can only sign, by passing the digest to a ``Signer``."""

    def __init__(self, signer: Signer) -> None:
        if not isinstance(signer.public_key, rsa.RSAPublicKey):
            raise SigningFailure(f"the key {signer.name} is not RSA: these certificates need RSA")
        self._signer = signer
        self._public_key = signer.public_key

    def sign(self, data: object, padding: object, algorithm: object) -> bytes:
        """Sign with PKCS #1 v1.5 and SHA-256, the only parameters that the callers below use."""
        del padding, algorithm
        digest = hashes.Hash(_HASH())
        digest.update(bytes(data))  # type: ignore[call-overload] # a buffer
        return self._signer.sign_digest(digest.finalize(), "sha256")

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def _never(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"the key {self._signer.name} can only sign")

    decrypt = private_numbers = private_bytes = __copy__ = __deepcopy__ = _never


def request(signer: Signer, subject: x509.Name) -> x509.CertificateSigningRequest:
    """Return a certificate request for an authority.

    Args:
        signer: The key that will sign programs.
        subject: The publisher, in the form that the authority requires.

    Raises:
        SigningFailure: The key does not sign the request.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(_SigningKey(signer), _HASH(), rsa_padding=padding.PKCS1v15())


def make_root(signer: Signer, name: str, validity: Validity) -> Authority:
    """Return a new authority.

    Raises:
        SigningFailure: The key does not sign the certificate.
    """
    subject = _named(name)
    certificate = (
        _builder(subject, subject, signer.public_key, validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key), critical=False)
        .sign(_SigningKey(signer), _HASH(), rsa_padding=padding.PKCS1v15())
    )
    return Authority(signer, certificate)


def issue(
    authority: Authority, key: PublicKey, name: str, purpose: Purpose, validity: Validity
) -> x509.Certificate:
    """Return a signer's certificate.

    Args:
        authority: The issuer.
        key: The signer's public key.
        name: The signer's name.
        purpose: What the signer may sign.
        validity: The certificate's validity.

    Raises:
        SigningFailure: The authority's key does not sign the certificate.
    """
    issuer = authority.signer.public_key
    return (
        _builder(_named(name), authority.certificate.subject, key, validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose.usage]), critical=purpose.exclusively)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        .sign(_SigningKey(authority.signer), _HASH(), rsa_padding=padding.PKCS1v15())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.begin)
        .not_valid_after(validity.end)
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        key_cert_sign=issues,
        crl_sign=issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
