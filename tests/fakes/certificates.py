"""Certificates and keys made at run time: valid ones, and invalid ones of every type."""

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from awstoe_signing.keys.signers import LocalSigner, PrivateKey

BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
NOW: Final = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
END: Final = datetime(2027, 1, 1, tzinfo=UTC)
LATER: Final = datetime(2028, 1, 1, tzinfo=UTC)
FAR: Final = datetime(2076, 1, 1, tzinfo=UTC)

CODE_SIGNING: Final = ExtendedKeyUsageOID.CODE_SIGNING
TIME_STAMPING: Final = ExtendedKeyUsageOID.TIME_STAMPING


PSS: Final = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)


class Holder(NamedTuple):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def signer(self) -> LocalSigner:
        return LocalSigner(self.key, "a key of the tests")


class Extension(NamedTuple):
    value: x509.ExtensionType
    critical: bool


@functools.cache
def curve_key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key of a holder; in a process it is always the same."""
    del name
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def rsa_key(name: str, bits: int = 3072) -> rsa.RSAPrivateKey:
    """Return the RSA key of a holder; in a process it is always the same."""
    del name
    return rsa.generate_private_key(65537, bits)


def authority(
    *,
    depth: int | None = None,
    issues: bool = True,
    ca: bool = True,
    usages: Sequence[x509.ObjectIdentifier] = (),
) -> list[Extension]:
    """Return the extensions of an authority's certificate."""
    extensions = [
        Extension(x509.BasicConstraints(ca=ca, path_length=depth if ca else None), critical=True),
        Extension(usage("key_cert_sign" if issues else "digital_signature"), critical=True),
    ]
    if usages:
        extensions.append(Extension(x509.ExtendedKeyUsage(usages), critical=False))
    return extensions


def signer(
    *usages: x509.ObjectIdentifier, critical: bool = False, key_usage: str = "digital_signature"
) -> list[Extension]:
    """Return the extensions of a signer's certificate."""
    extensions = [
        Extension(x509.BasicConstraints(ca=False, path_length=None), critical=True),
        Extension(usage(key_usage), critical=True),
    ]
    if usages:
        extensions.append(Extension(x509.ExtendedKeyUsage(usages), critical=critical))
    return extensions


def usage(allowed: str) -> x509.KeyUsage:
    """Return a key usage that allows one thing."""
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name == allowed for name in names})


def make(
    name: str,
    extensions: Sequence[Extension],
    *,
    by: Holder | None = None,
    key: PrivateKey | None = None,
    begin: datetime = BEGIN,
    end: datetime = END,
    rsa_padding: padding.PSS | None = None,
) -> Holder:
    """Create a certificate, self-signed or signed ``by`` another; for the name's P-256 key."""
    key = key or curve_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    issuing_key = by.key if by else key
    certificate = builder.sign(issuing_key, hashes.SHA256(), rsa_padding=rsa_padding)
    return Holder(certificate, key)


class World(NamedTuple):
    """All the holders that signatures need."""

    root: Holder
    between: Holder
    publisher: Holder
    """Signs programs; certified by ``between``, with a P-256 key so that files are small."""
    rsa_publisher: Holder
    stamp_root: Holder
    stamper: Holder
    stranger: Holder
    """Signs programs; self-signed."""

    @property
    def chain(self) -> list[x509.Certificate]:
        return [self.publisher.certificate, self.between.certificate, self.root.certificate]


@functools.cache
def world() -> World:
    """Return the holders, the same in every test of a process."""
    root = make("Root", authority(), end=FAR)
    between = make("Between", authority(depth=0), by=root, end=LATER)
    stamp_root = make("Stamp Root", authority(), end=FAR)
    return World(
        root=root,
        between=between,
        publisher=make("Publisher", signer(CODE_SIGNING), by=between),
        rsa_publisher=make(
            "RSA Publisher", signer(CODE_SIGNING), by=between, key=rsa_key("RSA Publisher")
        ),
        stamp_root=stamp_root,
        stamper=make("Stamper", signer(TIME_STAMPING, critical=True), by=stamp_root, end=LATER),
        stranger=make("Publisher", signer(CODE_SIGNING), key=curve_key("Stranger")),
    )
