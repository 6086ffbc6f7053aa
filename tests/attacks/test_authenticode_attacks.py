"""Attacks with what a publisher's own signature states: parts that no verifier may overlook."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.type import univ

from awstoe.trust.authenticode import asn1, pe
from awstoe.trust.authenticode import verify as authenticode
from awstoe.trust.authenticode.verify import State
from awstoe_signing.authenticode.cms import encode
from fakes.certificates import END, NOW, world
from fakes.signed_programs import (
    content_of,
    edited,
    put_together,
    signature_of,
    signed,
    stamped,
    with_signature,
)
from fakes.windows_program import table_of

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
OBSOLETE = b"\x80\x1c" + "<<<Obsolete>>>".encode("utf-16-be")


def verify(program: bytes, now: datetime = NOW) -> authenticode.SignatureResult:
    return authenticode.verify_file(
        io.BytesIO(program),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate],
        now=now,
    )


def tagged(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


def image_data(link: bytes, flags: bytes = b"\0") -> bytes:
    return tagged(0x30, tagged(0x03, flags) + tagged(0xA0, link))


PAGE_HASHES = tagged(
    0xA1,
    tagged(0x04, bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6"))
    + tagged(0x04, tagged(0x31, tagged(0x30, tagged(0x06, b"\x2b") + bytes(8)))),
)
ACCEPTED = {
    "of signtool": image_data(tagged(0xA2, b"\x80\0")),
    "of osslsigncode": image_data(tagged(0xA2, OBSOLETE), flags=b"\x07\x80"),
}
REFUSED: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "description of the program cannot be read"),
    "of nothing": (tagged(0x30, b""), "description of the program cannot be read"),
    "of another type": (tagged(0x04, b"x"), "description of the program cannot be read"),
    "with something behind it": (
        tagged(0x30, ACCEPTED["of signtool"][2:] + b"\x05\0"),
        "description of the program",
    ),
    "with hashes of pages": (image_data(PAGE_HASHES), "has hashes of pages"),
    "of parts of the program": (
        image_data(tagged(0xA2, b"\x80\0"), flags=b"\x05\x20"),
        "is of parts of the program",
    ),
    "with a link": (image_data(tagged(0x80, b"http://a/")), "a link to another file"),
    "with a file name": (image_data(tagged(0xA2, b"\x81\x01x")), "a link to another file"),
}


def result_of(image: bytes | None) -> authenticode.SignatureResult:
    """Verify a program that the trusted publisher has signed with this SpcPeImageData."""
    content = asn1.decode(content_of(signed()), asn1.INDIRECT_DATA, "content")
    if image is None:
        present = content["data"]["algorithm"]
        content["data"].clear()
        content["data"]["algorithm"] = present
    else:
        content["data"]["parameters"] = image
    return verify(put_together(encode(content)))


@pytest.mark.parametrize("name", ACCEPTED)
def test_usual_description_of_the_program(name: str) -> None:
    assert result_of(ACCEPTED[name]).state is State.GOOD


@pytest.mark.parametrize("name", REFUSED)
def test_description_of_the_program(name: str) -> None:
    image, reason = REFUSED[name]
    result = result_of(image)
    assert result.state is State.BAD
    assert reason in (result.reason or "")


# --- what can differ in a good file (docs/adr/0011-own-authenticode-signatures.md) ---------------


def in_another_order() -> bytes:
    first, second = (each.public_bytes(Encoding.DER) for each in world().chain[:2])
    body = signature_of(signed())
    assert first + second in body or second + first in body
    at = min(body.index(first), body.index(second))
    swapped = second + first if body.startswith(first, at) else first + second
    return with_signature(signed(), body[:at] + swapped + body[at + len(swapped) :])


def with_the_other_form(data: univ.Sequence) -> None:
    r, s = utils.decode_dss_signature(bytes(data["signers"][0]["signature"]))
    data["signers"][0]["signature"] = utils.encode_dss_signature(r, P256_ORDER - s)


def without_parameters(data: univ.Sequence) -> None:
    for algorithm in (data["digests"][0], data["signers"][0]["digest"]):
        name = str(algorithm["algorithm"])
        algorithm.clear()
        algorithm["algorithm"] = name


@pytest.mark.parametrize(
    "change",
    [
        in_another_order,
        lambda: edited(signed(), with_the_other_form),
        lambda: edited(signed(), without_parameters),
    ],
    ids=["certificates", "value", "parameters"],
)
def test_table_can_differ_but_not_the_program(change: Callable[[], bytes]) -> None:
    program, changed = signed(), change()
    assert changed != program
    table_at, _ = table_of(program)
    headers = pe.read_headers(io.BytesIO(program))
    fields = {*range(headers.checksum_at, headers.checksum_at + 4)}
    fields |= {*range(headers.security_at, headers.security_at + 8)}
    assert all(changed[at] == program[at] or at in fields for at in range(table_at))
    result = verify(changed)
    assert result.state is State.GOOD
    assert result.thumbprint == authenticode.thumbprint_of(world().publisher.certificate)


def test_timestamp_can_be_removed_but_that_makes_no_expired_signature_good() -> None:
    def unstamped(data: univ.Sequence) -> None:
        data["signers"][0]["unsigned"].clear()

    assert verify(edited(stamped(), unstamped), NOW).state is State.GOOD
    assert verify(stamped(), END + timedelta(days=9)).state is State.GOOD
    assert verify(edited(stamped(), unstamped), END + timedelta(days=9)).state is State.UNTRUSTED
