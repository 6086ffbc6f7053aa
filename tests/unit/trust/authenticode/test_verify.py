"""A program is good only if everything about its signature is; each attack has a test."""

import functools
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.type import univ

from awstoe.errors import HostError
from awstoe.trust.authenticode import asn1
from awstoe.trust.authenticode import verify as authenticode
from awstoe.trust.authenticode.chain import LIFETIME_SIGNING
from awstoe.trust.authenticode.verify import SignatureResult, State
from awstoe_signing.authenticode.cms import encode, named_digest, new, octets
from fakes import timestamp_server
from fakes.certificates import (
    CODE_SIGNING,
    END,
    LATER,
    NOW,
    TIME_STAMPING,
    Holder,
    authority,
    curve_key,
    make,
    rsa_key,
    signer,
    world,
)
from fakes.signed_programs import (
    content_of,
    edited,
    honest_stamps,
    put_together,
    sign,
    signature_of,
    signed,
    stamped,
    value_of,
    with_signature,
)
from fakes.timestamp_server import Edit
from fakes.windows_program import (
    CHECKSUM_AT,
    make_program,
    table_of,
    with_checksum,
    with_table,
)

AFTERWARDS = END + timedelta(days=90)
PROGRAM = make_program()


def verify(
    program: bytes, *, now: datetime = NOW, root: Holder | None = None, stamps: bool = True
) -> SignatureResult:
    return authenticode.verify_file(
        io.BytesIO(program),
        trusted=[(root or world().root).certificate],
        timestamp_authorities=[world().stamp_root.certificate] if stamps else [],
        now=now,
    )


def refused(
    program: bytes,
    reason: str,
    *,
    state: State = State.BAD,
    now: datetime = NOW,
    stamps: bool = True,
) -> None:
    result = verify(program, now=now, stamps=stamps)
    assert result.state is state
    assert reason in (result.reason or "")


untrusted = functools.partial(refused, state=State.UNTRUSTED)
"""The file is what was signed, but its signer is not trusted."""


# --- what is good -----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["PE32", "PE32+"])
@pytest.mark.parametrize("payload", [b"", b"x", b"1234567", b"12345678", bytes(3_000_001)])
def test_signed_program_of_any_type_and_length_is_good(kind: str, payload: bytes) -> None:
    program = sign(make_program(kind, payload=payload))
    assert verify(program) == SignatureResult(
        State.GOOD,
        signer="Publisher",
        thumbprint=authenticode.thumbprint_of(world().publisher.certificate),
        fingerprint=world().publisher.certificate.fingerprint(hashes.SHA256()).hex(),
    )


def test_thumbprint_is_written_as_in_the_user_guide() -> None:
    certificate = world().publisher.certificate
    written = authenticode.thumbprint_of(certificate)
    assert written.replace(" ", "").lower() == certificate.fingerprint(hashes.SHA1()).hex()
    assert len(written) == 59
    assert written == written.upper()


def test_rsa_key_is_good() -> None:
    chain = [world().rsa_publisher.certificate, world().between.certificate]
    assert verify(sign(PROGRAM, world().rsa_publisher, chain)).state is State.GOOD


def test_p384_key_is_good() -> None:
    holder = make(
        "P-384",
        signer(CODE_SIGNING),
        by=world().between,
        key=ec.generate_private_key(ec.SECP384R1()),
    )
    program = sign(PROGRAM, holder, [holder.certificate, world().between.certificate])
    assert verify(program).state is State.GOOD


def test_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "awstoe.exe"
    path.write_bytes(signed())
    result = authenticode.verify(str(path), trusted=[world().root.certificate], now=NOW)
    assert result.state is State.GOOD


def test_missing_file_is_a_host_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"none\.exe cannot be read: No such file"):
        authenticode.verify(str(tmp_path / "none.exe"), now=NOW)


def test_unsigned_program_is_reported_as_unsigned() -> None:
    assert verify(PROGRAM).state is State.UNSIGNED


def test_other_files_are_not_checked() -> None:
    assert verify(b"\x7fELF and so on").state is State.OTHER
    assert verify(b"").state is State.OTHER


def test_certificate_that_is_included_twice_is_good() -> None:
    """osslsigncode does this in its own timestamps."""

    def again(data: univ.Sequence) -> None:
        data["certificates"][3] = data["certificates"][0]

    assert verify(edited(signed(), again)).state is State.GOOD


# --- whom to trust ----------------------------------------------------------------------------
def verify_with(
    trusted: Sequence[x509.Certificate] = (), thumbprints: Sequence[str] = ()
) -> SignatureResult:
    return authenticode.verify_file(
        io.BytesIO(signed()), trusted=trusted, thumbprints=thumbprints, now=NOW
    )


def test_nothing_trusted_means_nothing_good() -> None:
    result = verify_with()
    assert result.state is State.UNTRUSTED
    assert result.reason == "no certificate is trusted here, so no signature can be good"


def test_altered_program_is_bad_even_if_nothing_is_trusted() -> None:
    program = bytearray(signed())
    program[table_of(bytes(program))[0] - 1] ^= 1
    result = authenticode.verify_file(io.BytesIO(with_checksum(bytes(program))), now=NOW)
    assert result.state is State.BAD
    assert "altered after it was signed" in (result.reason or "")


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=["SHA-1", "SHA-256"])
def test_published_thumbprint_is_enough(algorithm: hashes.SHA1 | hashes.SHA256) -> None:
    digits = world().publisher.certificate.fingerprint(algorithm).hex()
    spaced = " ".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
    assert verify_with(thumbprints=[digits]).state is State.GOOD
    assert verify_with(thumbprints=["0" * 40, spaced]).state is State.GOOD


def test_other_thumbprint_is_rejected_even_below_a_trusted_root() -> None:
    result = verify_with(trusted=[world().root.certificate], thumbprints=["AB" * 20])
    assert result.state is State.UNTRUSTED
    assert "which is not a published one" in (result.reason or "")


@pytest.mark.parametrize("text", ["", "AB", "G" * 40, "0" * 41, "0" * 63, "\u0660" * 40])
def test_malformed_thumbprint_is_a_mistake_of_the_caller(text: str) -> None:
    with pytest.raises(ValueError, match="expected a thumbprint"):
        verify_with(thumbprints=[text])


def test_stranger_of_the_same_name_is_rejected() -> None:
    untrusted(sign(PROGRAM, world().stranger), "does not lead to a trusted authority")


def test_certificate_of_the_signer_may_be_trusted_itself() -> None:
    assert verify(sign(PROGRAM, world().stranger), root=world().stranger).state is State.GOOD


# --- time -------------------------------------------------------------------------------------
def test_expired_certificate_without_a_timestamp_is_rejected() -> None:
    untrusted(signed(), "expired at 2027-01-01", now=AFTERWARDS)


def test_certificate_that_is_not_valid_yet_is_rejected() -> None:
    untrusted(signed(), "is valid from 2026-01-01", now=datetime(2025, 12, 31, tzinfo=UTC))


def test_timestamp_keeps_a_signature_good_after_its_certificate_expires() -> None:
    result = verify(stamped(), now=AFTERWARDS)
    assert (result.state, result.signed_at, result.stamped_by) == (State.GOOD, NOW, "Stamper")
    assert result.warnings == (
        "the certificate has expired (2027-01-01), after the signature was made",
    )


def test_timestamp_keeps_a_signature_good_in_2070() -> None:
    assert verify(stamped(), now=datetime(2070, 1, 1, tzinfo=UTC)).state is State.GOOD


def test_timestamp_from_after_the_certificate_expired_does_not_help() -> None:
    late = honest_stamps(LATER - timedelta(days=1)).stamp(value_of(signed()), NOW)
    untrusted(with_token(late), "expired at 2027-01-01", now=AFTERWARDS)


def test_timestamp_of_an_unknown_authority_is_ignored() -> None:
    result = verify(stamped(), stamps=False)
    assert result.state is State.GOOD
    assert result.signed_at is None
    assert "no such authority is known" in result.warnings[0]
    untrusted(stamped(), "expired at", now=AFTERWARDS, stamps=False)


def test_timestamp_from_the_future_causes_a_warning() -> None:
    result = verify(stamped(), now=NOW - timedelta(days=1))
    assert result.state is State.GOOD
    assert "is in the future" in result.warnings[0]


def test_lifetime_signing_ends_with_the_certificate_despite_a_timestamp() -> None:
    lifetime = LIFETIME_SIGNING
    holder = make("Lifetime", signer(CODE_SIGNING, lifetime), by=world().root)
    program = sign(PROGRAM, holder, authority=honest_stamps())
    assert verify(program).state is State.GOOD
    untrusted(program, "expired at", now=AFTERWARDS)


# --- attacks on the timestamp -----------------------------------------------------------------
def future_version(info: univ.Sequence) -> None:
    info["version"] = 2


def another_imprint(info: univ.Sequence) -> None:
    info["imprint"]["digest"] = hashlib.sha256(b"another signature").digest()


def an_extension(info: univ.Sequence) -> None:
    info["extensions"][0] = octets(b"")


def an_unsigned_attribute(data: univ.Sequence) -> None:
    attributes = data["signers"][0]["unsigned"]
    attributes[0]["type"] = asn1.SIGNING_TIME
    attributes[0]["values"][0] = octets(b"")


def no_named_certificate(data: univ.Sequence) -> None:
    data["signers"][0]["signed"].clear()
    data["signers"][0]["signed"][0]["type"] = asn1.CONTENT_TYPE
    data["signers"][0]["signed"][0]["values"][0] = octets(b"")


FORGED_STAMPS: dict[str, tuple[dict[str, Any], str]] = {
    "by a certificate that signs programs": (
        {"holder": world().publisher},
        "is not for timestamping",
    ),
    "of another signature": ({"edit_info": another_imprint}, "of another signature"),
    "of a SHA-1 digest": (
        {"edit_info": timestamp_server.sha1_imprint},
        "uses digest 1.3.14.3.2.26",
    ),
    "of a future version": ({"edit_info": future_version}, "not supported"),
    "with an extension": ({"edit_info": an_extension}, "not supported"),
    "naming another certificate": (
        {"names": world().publisher.certificate},
        "names a certificate other than",
    ),
    "naming no certificate": ({"edit_signed": no_named_certificate}, "cannot be read"),
    "with an unsigned attribute": (
        {"edit_signed": an_unsigned_attribute},
        "has unsigned attributes",
    ),
    "of another type": ({"kind": asn1.INDIRECT_DATA_TYPE}, "a signature of something else"),
    "of version 1": (
        {"edit_signed": lambda data: data.setComponentByName("version", 1)},
        "versions that its format does not have",
    ),
}


@pytest.mark.parametrize("case", FORGED_STAMPS)
def test_forged_timestamp_is_rejected(case: str) -> None:
    changes, reason = FORGED_STAMPS[case]
    token = honest_stamps()._replace(**changes).stamp(value_of(signed()), NOW)
    refused(with_token(token), reason)
    refused(with_token(token), reason, stamps=False)


def with_token(token: bytes) -> bytes:
    def add(data: univ.Sequence) -> None:
        data["signers"][0]["unsigned"][0]["type"] = asn1.TIME_STAMP
        data["signers"][0]["unsigned"][0]["values"][0] = token

    return edited(signed(), add)


def test_timestamp_by_a_stranger_is_rejected_if_authorities_are_known() -> None:
    root = make("Stamp Root", authority(), key=curve_key("another root"))
    stranger = make("Stamper", signer(TIME_STAMPING, critical=True), by=root)
    strange = timestamp_server.Authority(stranger, root.certificate)
    untrusted(
        with_token(strange.stamp(value_of(signed()), NOW)), "does not lead to a trusted authority"
    )


def test_timestamp_by_a_certificate_with_other_usages_is_rejected() -> None:
    both = signer(TIME_STAMPING, CODE_SIGNING, critical=True)
    holder = make("Both", both, by=world().stamp_root)
    token = honest_stamps()._replace(holder=holder).stamp(value_of(signed()), NOW)
    refused(with_token(token), "is not exclusively for timestamping")


def test_timestamp_of_another_program_is_rejected() -> None:
    token = honest_stamps().stamp(b"the signature of another program", NOW)
    refused(with_token(token), "the timestamp is of another signature")


# --- attacks on the signature -----------------------------------------------------------------
def test_signature_of_another_program_is_rejected() -> None:
    other = sign(make_program(payload=b"another"))
    refused(with_signature(PROGRAM, signature_of(other)), "altered after it was signed")


def test_altered_program_is_rejected() -> None:
    program = bytearray(signed())
    program[0x210] ^= 1
    refused(with_checksum(bytes(program)), "altered after it was signed")


def test_wrong_checksum_is_rejected() -> None:
    program = bytearray(signed())
    program[CHECKSUM_AT] ^= 1
    refused(bytes(program), "the program's checksum is 0x")
    program[CHECKSUM_AT : CHECKSUM_AT + 4] = bytes(4)
    refused(bytes(program), "the program's checksum is 0x00000000, expected")


def test_data_after_the_signature_is_rejected() -> None:
    refused(with_checksum(signed() + b"appended"), "does not end where the file ends")


@pytest.mark.parametrize("hidden", [bytes(8), b"payload!" * 2, b"\1"])
def test_data_in_the_padding_of_the_table_is_rejected(hidden: bytes) -> None:
    """This is CVE-2013-3900: data after the PKCS #7 structure is not signed."""
    body = signature_of(signed()).rstrip(b"\0")
    length = 4 + int.from_bytes(body[2:4], "big")
    refused(with_signature(signed(), body[:length] + hidden), "are hidden after the signature")


def test_second_entry_in_the_table_is_rejected() -> None:
    at, size = table_of(signed())
    entry = signed()[at:]
    program = with_checksum(with_table(signed(), at, size * 2) + entry)
    refused(program, f"expected one signature of {size * 2} bytes")


def test_table_inside_the_sections_is_rejected() -> None:
    program = signed()
    _at, size = table_of(program)
    refused(with_table(program, 0x208, len(program) - 0x208), "is inside the program")
    refused(with_table(program, 0x208, size), "is inside the program")


def test_table_that_is_too_large_is_rejected_before_it_is_read() -> None:
    program = PROGRAM + bytes(2 * 1024 * 1024)
    refused(with_table(program, len(PROGRAM), 2 * 1024 * 1024), "the limit is 1048576")


def nested(data: univ.Sequence) -> None:
    attributes = data["signers"][0]["unsigned"]
    attributes[0]["type"] = "1.3.6.1.4.1.311.2.4.1"
    attributes[0]["values"][0] = octets(b"another signature")


def two_values(data: univ.Sequence) -> None:
    data["signers"][0]["signed"][0]["values"][1] = octets(b"more")


def two_signers(data: univ.Sequence) -> None:
    data["signers"][1] = data["signers"][0]
    data["signers"][1]["version"] = 3


def other_certificate(data: univ.Sequence) -> None:
    data["certificates"][3] = world().stranger.certificate.public_bytes(Encoding.DER)


def too_many_certificates(data: univ.Sequence) -> None:
    for number in range(3, 11):
        data["certificates"][number] = data["certificates"][0]


def no_certificate(data: univ.Sequence) -> None:
    data["certificates"].clear()
    data["certificates"][0] = world().root.certificate.public_bytes(Encoding.DER)


def set_in(*path: str | int, value: object) -> Edit:
    def change(data: Any) -> None:  # noqa: ANN401 - anything with items
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


SIGNER = ("signers", 0)
FORGED_SIGNATURES: dict[str, tuple[Edit, str]] = {
    "SHA-1": (
        set_in(*SIGNER, "digest", "algorithm", value="1.3.14.3.2.26"),
        "uses digest 1.3.14.3.2.26; expected SHA-256",
    ),
    "MD5": (
        set_in(*SIGNER, "digest", "algorithm", value="1.2.840.113549.2.5"),
        "uses digest 1.2.840.113549.2.5",
    ),
    "two digest algorithms": (
        set_in("digests", 0, "algorithm", value=asn1.SHA512),
        "names two different digest algorithms",
    ),
    "a digest that was not signed": (
        set_in("content", "content", value=octets(b"something else")),
        "was made for other content",
    ),
    "another type of content": (
        set_in("content", "type", value=asn1.TST_INFO_TYPE),
        "was made for another type of content",
    ),
    "another name of the algorithm": (
        set_in(*SIGNER, "algorithm", "algorithm", value=asn1.ECDSA[asn1.SHA512]),
        "names signature algorithm 1.2.840.10045.4.3.4, expected 1.2.840.10045.4.3.2",
    ),
    "another value": (set_in(*SIGNER, "signature", value=b"x" * 70), "was not made with the key"),
    "another serial": (
        set_in(*SIGNER, "signer", "serial", value=4711),
        "the signature does not contain the certificate of its signer",
    ),
    "another version": (set_in("version", value=3), "versions that its format"),
    "another version of the signer": (set_in(*SIGNER, "version", value=3), "versions that its"),
    "nested signature": (nested, "attribute other than a timestamp: 1.3.6.1.4.1.311.2.4.1"),
    "attribute with two values": (two_values, "does not have exactly one value"),
    "two signatures": (two_signers, "contains 2 signatures; expected one"),
    "eleven certificates": (too_many_certificates, "contains 11 certificates; expected 1 to 10"),
    "no certificate of the signer": (no_certificate, "does not contain the certificate"),
    "a malformed certificate": (
        set_in("certificates", 3, value=octets(b"x")),
        "a certificate of the signature cannot be read",
    ),
}


@pytest.mark.parametrize("case", FORGED_SIGNATURES)
def test_forged_signature_is_rejected(case: str) -> None:
    edit, reason = FORGED_SIGNATURES[case]
    refused(edited(signed(), edit), reason)


def test_certificate_outside_the_chain_is_rejected() -> None:
    untrusted(edited(signed(), other_certificate), "a certificate that is not part of its chain")


def test_signature_that_is_not_der_is_rejected() -> None:
    body = bytearray(signature_of(signed()))
    length = 4 + int.from_bytes(body[2:4], "big")
    # The length of the outer OBJECT IDENTIFIER in the long form, which only BER allows.
    grown = body[:5] + b"\x81" + body[5:length]
    grown[2:4] = (length - 4 + 1).to_bytes(2, "big")
    refused(with_signature(signed(), bytes(grown)), "is not encoded as DER")


def test_signature_of_something_other_than_a_program_is_rejected() -> None:
    program = put_together(octets(b"x"), kind=asn1.TST_INFO_TYPE)
    refused(program, "of something other than a program")


def test_signature_of_another_type_of_file_is_rejected() -> None:
    """The signature of a script or an MSI file, put into a program."""
    content = new(asn1.INDIRECT_DATA)
    content["data"]["algorithm"] = "1.3.6.1.4.1.311.2.1.30"
    content["digest"] = named_digest(bytes(32))
    refused(put_together(encode(content)), "of another type of file")


def test_sha1_digest_of_the_program_is_rejected() -> None:
    content = new(asn1.INDIRECT_DATA)
    content["data"]["algorithm"] = asn1.PE_IMAGE
    content["digest"]["algorithm"]["algorithm"] = "1.3.14.3.2.26"
    content["digest"]["digest"] = hashlib.sha1(b"").digest()
    refused(put_together(encode(content)), "uses digest 1.3.14.3.2.26")


def test_small_rsa_key_is_rejected() -> None:
    holder = make("Small", signer(CODE_SIGNING), by=world().root, key=rsa_key("Small", 2048))
    program = put_together(content_of(signed()), holder)
    untrusted(program, "RSA with 2048 bits; expected RSA with at least 3072 bits")
