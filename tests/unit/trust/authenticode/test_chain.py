"""A chain leads only through certificates that are valid in their position."""

import shutil
import subprocess
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ

from awstoe.errors import TrustError
from awstoe.trust.authenticode import chain
from awstoe.trust.authenticode.chain import Purpose
from fakes.certificates import (
    BEGIN,
    CODE_SIGNING,
    END,
    FAR,
    NOW,
    PSS,
    TIME_STAMPING,
    Extension,
    Holder,
    authority,
    curve_key,
    make,
    rsa_key,
    signer,
    usage,
    world,
)

OPENSSL = shutil.which("openssl")
ROOT = make("Root", authority(), end=FAR)
GOOD = signer(CODE_SIGNING)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
CONSTRAINED = x509.NameConstraints([x509.DNSName("example.com")], None)


def chain_of(
    leaf: Holder,
    embedded: Sequence[Holder] = (),
    *,
    roots: Sequence[Holder] = (ROOT,),
    purpose: Purpose = chain.CODE_SIGNING,
    at: datetime = NOW,
) -> list[str]:
    certificates = chain.find(
        leaf.certificate,
        [leaf.certificate, *(each.certificate for each in embedded)],
        [each.certificate for each in roots],
        purpose,
        at,
    )
    return [chain.name_of(each) for each in certificates]


def below(name: str, extensions: Sequence[Extension]) -> tuple[Holder, list[Holder]]:
    """Return a signer below an authority with these extensions, which the root has certified."""
    between = make(name, extensions, by=ROOT, end=FAR)
    return make("Leaf", GOOD, by=between), [between]


def test_chain_is_found_in_any_order_of_the_certificates() -> None:
    one = make("One", authority(depth=1), by=ROOT)
    two = make("Two", authority(depth=0), by=one)
    leaf = make("Leaf", GOOD, by=two)
    assert chain_of(leaf, [one, two]) == ["Leaf", "Two", "One", "Root"]
    assert chain_of(leaf, [ROOT, two, one]) == ["Leaf", "Two", "One", "Root"]


def test_dead_end_is_left_for_the_chain_that_continues() -> None:
    """Two authorities with one name and key: a stranger certified one, the root the other."""
    stranger = make("Stranger", authority())
    wrong = make("Between", authority(), by=stranger)
    right = make("Between", authority(), by=ROOT)
    leaf = make("Leaf", GOOD, by=right)
    assert chain_of(leaf, [stranger, wrong, right]) == ["Leaf", "Between", "Root"]


def test_authorities_that_certify_each_other_are_not_a_chain() -> None:
    one = make("One", authority(), by=make("Two", authority()))
    two = make("Two", authority(), by=make("One", authority()))
    leaf = make("Leaf", GOOD, by=one)
    with pytest.raises(TrustError, match="does not lead to a trusted authority"):
        chain_of(leaf, [one, two])
    with pytest.raises(TrustError, match=r'^the certificate "Leaf", issued by "CN=One", does not'):
        chain_of(leaf, [])


LEAVES = {
    "is an authority": (authority(usages=[CODE_SIGNING]), "is an authority's, not a signer's"),
    "has no extended usage": (signer(), "is not for code signing"),
    "is for something else": (signer(TIME_STAMPING), "is not for code signing"),
    "is for anything": (
        signer(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        "is not for code signing",
    ),
    "may not sign": (signer(CODE_SIGNING, key_usage="key_agreement"), "is not for signatures"),
    "has an unknown critical extension": (
        [*GOOD, Extension(UNKNOWN, critical=True)],
        "an extension that is not supported: 1.3.6.1.4.1.99999.1",
    ),
    "constrains names": (
        [*GOOD, Extension(CONSTRAINED, critical=False)],
        "an extension that is not supported: 2.5.29.30",
    ),
}


@pytest.mark.parametrize("case", LEAVES)
def test_signer_is_rejected_if_its_certificate(case: str) -> None:
    extensions, reason = LEAVES[case]
    with pytest.raises(TrustError, match=reason):
        chain_of(make("Leaf", extensions, by=ROOT))


def test_unknown_extension_that_is_not_critical_is_ignored() -> None:
    leaf = make("Leaf", [*GOOD, Extension(UNKNOWN, critical=False)], by=ROOT)
    assert chain_of(leaf) == ["Leaf", "Root"]


AUTHORITIES = {
    "is a signer": (signer(CODE_SIGNING), "is not an authority's, but has issued one"),
    "states that it is not one": (authority(ca=False), "is not an authority's, but has issued one"),
    "does not state that it is one": (
        [Extension(usage("key_cert_sign"), critical=True)],
        "is not an authority's, but has issued one",
    ),
    "may not issue": (authority(issues=False), "may not issue certificates"),
    "is for something else": (
        authority(usages=[TIME_STAMPING]),
        "may not issue certificates for code signing",
    ),
    "constrains names": (
        [*authority(), Extension(CONSTRAINED, critical=True)],
        "is not supported: 2.5.29.30",
    ),
}


@pytest.mark.parametrize("case", AUTHORITIES)
def test_authority_is_rejected_if_it(case: str) -> None:
    extensions, reason = AUTHORITIES[case]
    leaf, embedded = below("Between", extensions)
    with pytest.raises(TrustError, match=reason):
        chain_of(leaf, embedded)


def test_authority_for_the_purpose_is_good() -> None:
    leaf, embedded = below("Between", authority(usages=[CODE_SIGNING]))
    assert chain_of(leaf, embedded) == ["Leaf", "Between", "Root"]


def test_more_authorities_than_one_allows_are_rejected() -> None:
    one = make("One", authority(depth=0), by=ROOT)
    two = make("Two", authority(), by=one)
    with pytest.raises(TrustError, match='"One" may not have so many others below it'):
        chain_of(make("Leaf", GOOD, by=two), [one, two])


def test_expired_authority_is_rejected() -> None:
    between = make("Between", authority(), by=ROOT, end=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(TrustError, match='"Between" expired at 2026-02-01'):
        chain_of(make("Leaf", GOOD, by=between), [between])


def test_expired_root_is_rejected() -> None:
    root = make("Old Root", authority(), end=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(TrustError, match='"Old Root" expired at 2026-02-01'):
        chain_of(make("Leaf", GOOD, by=root), roots=[root])


def test_validity_is_exact_to_the_second() -> None:
    leaf = make("Leaf", GOOD, by=ROOT)
    for good in (BEGIN, END - timedelta(seconds=1)):
        assert chain_of(leaf, at=good) == ["Leaf", "Root"]
    for bad in (BEGIN.replace(year=2025, month=12, day=31), END):
        with pytest.raises(TrustError, match=r"(and|but) the time is"):
            chain_of(leaf, at=bad)


def test_dates_after_2049_are_supported() -> None:
    leaf = make("Leaf", GOOD, by=ROOT, end=datetime(2060, 1, 1, tzinfo=UTC))
    assert chain_of(leaf, at=datetime(2055, 1, 1, tzinfo=UTC)) == ["Leaf", "Root"]


def test_certificate_by_another_key_of_the_same_name_is_rejected() -> None:
    impostor = make("Root", authority(), key=curve_key("an impostor"))
    with pytest.raises(TrustError, match="does not lead to a trusted authority"):
        chain_of(make("Leaf", GOOD, by=impostor), [impostor])


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1()], ids=lambda curve: curve.name)
def test_other_curves_are_rejected(curve: ec.EllipticCurve) -> None:
    leaf = make("Leaf", GOOD, by=ROOT, key=ec.generate_private_key(curve))
    with pytest.raises(TrustError, match=f"is the curve {curve.name}; expected RSA with at least"):
        chain_of(leaf)


def test_small_key_of_an_authority_is_rejected() -> None:
    between = make("Between", authority(), by=ROOT, key=rsa_key("Small", 2048))
    with pytest.raises(TrustError, match='the key of "Between" is RSA with 2048 bits'):
        chain_of(make("Leaf", GOOD, by=between), [between])


def test_other_types_of_keys_are_rejected() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([]),
        issuer_name=ROOT.certificate.subject,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=BEGIN,
        not_valid_after=END,
    )
    for extension in GOOD:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    certificate = builder.sign(ROOT.key, hashes.SHA256())
    with pytest.raises(TrustError, match="is of another kind; expected RSA"):
        chain.check_signer(certificate, chain.CODE_SIGNING)


def test_certificate_signed_with_sha1_is_rejected() -> None:
    root = make("RSA Root", authority(), key=rsa_key("RSA Publisher"), end=FAR)
    leaf = make("Leaf", GOOD, by=root)
    assert chain_of(leaf, roots=[root]) == ["Leaf", "RSA Root"]
    old = signed_with_sha1(leaf.certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TrustError, match="does not lead to a trusted authority"):
            chain_of(Holder(old, leaf.key), roots=[root])


def signed_with_sha1(certificate: x509.Certificate) -> x509.Certificate:
    """Return the certificate as it was made years ago; the library does not make such ones."""
    value, _rest = decoder.decode(certificate.public_bytes(Encoding.DER))
    for place in (value[0][2], value[1]):
        place[0] = univ.ObjectIdentifier("1.2.840.113549.1.1.5")
    key = rsa_key("RSA Publisher")
    signature = key.sign(encoder.encode(value[0]), padding.PKCS1v15(), hashes.SHA1())
    value[2] = univ.BitString.fromOctetString(signature)
    return x509.load_der_x509_certificate(encoder.encode(value))


def test_certificate_signed_with_rsa_pss_is_rejected_anywhere_below_a_root() -> None:
    root = make("RSA Root", authority(), key=rsa_key("RSA Publisher"), end=FAR)
    between = make("Between", authority(), by=root, rsa_padding=PSS)
    for leaf, refused in (
        (make("Leaf", GOOD, by=root, rsa_padding=PSS), "Leaf"),
        (make("Leaf", GOOD, by=between), "Between"),
    ):
        reason = f'"{refused}" is signed with 1.2.840.113549.1.1.10; expected RSA'
        with pytest.raises(TrustError, match=reason):
            chain_of(leaf, [between], roots=[root])
        embedded = [each.certificate for each in (leaf, between, root)]
        with pytest.raises(TrustError, match=reason):
            chain.without_roots(leaf.certificate, embedded, chain.CODE_SIGNING)


def test_signature_of_a_trusted_certificate_is_not_checked() -> None:
    key = rsa_key("RSA Publisher")
    root = make("RSA Root", authority(), key=key, end=FAR, rsa_padding=PSS)
    assert chain_of(make("Leaf", GOOD, by=root), roots=[root]) == ["Leaf", "RSA Root"]


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_key_only_for_rsa_pss_is_rejected(tmp_path: Path) -> None:
    """Only OpenSSL makes such certificates; the key could also sign the other way."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    uses = (
        "keyUsage=digitalSignature",
        "extendedKeyUsage=codeSigning",
        "basicConstraints=CA:FALSE",
    )
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:3072", "-out", key),
        (
            *("req", "-x509", "-new", "-key", key, "-subj", "/CN=PSS", "-out", certificate),
            *(word for use in uses for word in ("-addext", use)),
        ),
    )
    for command in commands:
        subprocess.run([OPENSSL or "", *command], check=True, capture_output=True, timeout=120)
    with pytest.raises(TrustError, match='the key of "PSS" is for RSA-PSS only; expected RSA'):
        chain.check_signer(
            x509.load_pem_x509_certificate(certificate.read_bytes()), chain.CODE_SIGNING
        )


def test_timestamping_must_be_critical_and_the_only_usage() -> None:
    stamper = world().stamper
    assert chain_of(stamper, roots=[world().stamp_root], purpose=chain.TIME_STAMPING)
    for extensions in (signer(TIME_STAMPING), signer(TIME_STAMPING, CODE_SIGNING, critical=True)):
        leaf = make("Stamper", extensions, by=ROOT)
        with pytest.raises(TrustError, match="is not exclusively for timestamping"):
            chain_of(leaf, purpose=chain.TIME_STAMPING)
