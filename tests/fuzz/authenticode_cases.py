"""Makes signed Windows programs, most of them nearly right: signed oddly, or changed afterwards."""

import functools
import random
import struct
from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.type import univ

from awstoe.errors import AwstoeError
from awstoe.trust.authenticode import asn1
from awstoe_signing.authenticode.cms import encode
from awstoe_signing.failure import SigningFailure
from fakes.certificates import END, NOW, Holder, world
from fakes.signed_programs import (
    content_of,
    edited,
    honest_stamps,
    put_together,
    sign,
    signature_of,
    with_signature,
)
from fakes.windows_program import make_program, table_of, with_checksum, with_table

_PE_AT = 0x80
_OPTIONAL_AT = _PE_AT + 24
_IMAGES = (
    "3009030100a004a2028000",
    "3026030207 80a020a21e801c" + "<<<Obsolete>>>".encode("utf-16-be").hex(),
    "3009030105a004a2028000",
    "3000",
    "3005030100a000",
    "300b030205 20a004a2028000",
    "300c030100a007800568747470 3a",
)


@functools.cache
def originals() -> tuple[bytes, ...]:
    """Return programs as they are released."""
    rsa = world().rsa_publisher
    chain = [rsa.certificate, world().between.certificate]
    return (
        sign(make_program("PE32"), rsa, chain),
        sign(make_program("PE32+", payload=b"seven b"), rsa, chain),
        sign(make_program(), rsa, chain, authority=honest_stamps()),
        sign(make_program()),
        sign(make_program(payload=bytes(3000)), authority=honest_stamps()),
    )


def make(chance: random.Random) -> bytes:
    """Return a case."""
    kind = chance.random()
    if kind < 0.2:
        program = _signed_oddly(chance)
    elif kind < 0.3:
        program = _odd_program(chance)
    else:
        program = chance.choice(originals())
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        change = chance.choice([_edited, _edited, _with_bytes_changed, _with_table_changed])
        program = change(chance, program)
    return program


# --- what a publisher could sign --------------------------------------------------------------


def _signed_oddly(chance: random.Random) -> bytes:
    """Return a program with a valid signature by anybody, of odd content."""
    holder: Holder = chance.choice(
        [world().rsa_publisher, world().rsa_publisher, world().publisher, world().stranger]
    )
    content = asn1.decode(
        content_of(chance.choice(originals()[-2:-1])), asn1.INDIRECT_DATA, "content"
    )
    if chance.random() < 0.6:
        image = chance.choice(_IMAGES).replace(" ", "")
        content["data"]["parameters"] = bytes.fromhex(image)
    if chance.random() < 0.2:
        content["digest"]["digest"] = chance.randbytes(chance.choice([20, 31, 32, 48]))
    if chance.random() < 0.1:
        content["data"]["algorithm"] = chance.choice(["1.3.6.1.4.1.311.2.1.30", "1.2.3"])
    chain = [holder.certificate, world().between.certificate]
    edit = _edit(chance) if chance.random() < 0.3 else None
    return put_together(
        encode(content), holder, chain, edit=(lambda data: edit(chance, data)) if edit else None
    )


def _odd_program(chance: random.Random) -> bytes:
    """Return a signed program with unusual headers, if the release's own code signs it."""
    program = bytearray(make_program(chance.choice(["PE32", "PE32+"]), payload=b"tail"))
    for _ in range(chance.choice([1, 1, 2])):
        at, form, values = chance.choice(
            [
                (0x3C, "<I", (_PE_AT, 0x84, 0x40)),
                (_PE_AT + 6, "<H", (0, 1, 2, 3)),
                (_PE_AT + 20, "<H", (0, 200, 224, 240, 248)),
                (_OPTIONAL_AT, "<H", (0x10B, 0x20B, 0x107)),
                (_OPTIONAL_AT + 60, "<I", (0, 0x200, 0x400, 0x10000)),
                (_OPTIONAL_AT + 92, "<I", (0, 4, 5, 15, 16, 17)),
                (_OPTIONAL_AT + 108, "<I", (0, 4, 5, 15, 16, 17)),
            ]
        )
        struct.pack_into(form, program, at, chance.choice(values))
    section = program.index(b".text") + 16
    if chance.random() < 0.5:
        fields = (chance.choice([0, 1, 64, 68, 69, 1000]), chance.choice([0, 0x100, 0x200, 0x240]))
        struct.pack_into("<II", program, section, *fields)
    rsa = world().rsa_publisher
    try:
        return sign(bytes(program), rsa, [rsa.certificate, world().between.certificate])
    except (SigningFailure, AwstoeError):
        return bytes(program)


# --- what anybody can change ------------------------------------------------------------------

Edit = Callable[[random.Random, univ.Sequence], None]


def _edited(chance: random.Random, program: bytes) -> bytes:
    """Return the program with changed SignedData, encoded as DER again."""
    edit = _edit(chance)
    try:
        return edited(program, lambda data: edit(chance, data))
    except Exception:  # noqa: BLE001 - an earlier change made it unreadable: not what is tested here
        return program


def _edit(chance: random.Random) -> Edit:
    return chance.choice(
        [
            _without_stamp,
            _with_other_stamp,
            _with_attribute,
            _with_certificate,
            _without_certificate,
            _with_parameters,
            _with_version,
            _with_digest,
            _with_value,
            _with_signed_attribute,
            _with_signer,
        ]
    )


def _without_stamp(_: random.Random, data: univ.Sequence) -> None:
    data["signers"][0]["unsigned"].clear()


def _with_other_stamp(chance: random.Random, data: univ.Sequence) -> None:
    signer = data["signers"][0]
    value = bytes(signer["signature"]) if chance.random() < 0.7 else b"another"
    token = honest_stamps(chance.choice([NOW, END, NOW])).stamp(value, NOW)
    signer["unsigned"][0]["type"] = asn1.TIME_STAMP
    signer["unsigned"][0]["values"][0] = token


def _with_attribute(chance: random.Random, data: univ.Sequence) -> None:
    unsigned = data["signers"][0]["unsigned"]
    at = len(unsigned) if unsigned.isValue else 0
    kinds = ["1.2.3", "1.3.6.1.4.1.311.2.4.1", "1.2.840.113549.1.9.6", asn1.TIME_STAMP]
    unsigned[at]["type"] = chance.choice(kinds)
    unsigned[at]["values"][0] = chance.choice([b"\x05\x00", encode(data)])


def _with_certificate(chance: random.Random, data: univ.Sequence) -> None:
    holder: Holder = chance.choice(
        [world().root, world().between, world().stranger, world().rsa_publisher, world().stamper]
    )
    der = holder.certificate.public_bytes(Encoding.DER)
    data["certificates"][chance.choice([0, 1, len(data["certificates"])])] = der


def _without_certificate(chance: random.Random, data: univ.Sequence) -> None:
    kept = [bytes(each) for each in data["certificates"]]
    del kept[chance.randrange(len(kept))]
    data["certificates"].clear()
    data["certificates"].extend(kept)


def _with_parameters(chance: random.Random, data: univ.Sequence) -> None:
    signer = data["signers"][0]
    algorithm = chance.choice([data["digests"][0], signer["digest"], signer["algorithm"]])
    if chance.random() < 0.5:
        algorithm["parameters"] = chance.choice([b"\x05\x00", b"\x04\x00", b"\x30\x00"])
    else:
        name = str(algorithm["algorithm"])
        algorithm.clear()
        algorithm["algorithm"] = name


def _with_version(chance: random.Random, data: univ.Sequence) -> None:
    chance.choice([data, data["signers"][0]])["version"] = chance.choice([0, 1, 2, 3, 4])


def _with_digest(chance: random.Random, data: univ.Sequence) -> None:
    named = [asn1.SHA256, asn1.SHA384, "1.3.14.3.2.26", "1.2.840.113549.2.5"]
    signer = data["signers"][0]
    for algorithm in chance.choice([[data["digests"][0]], [signer["digest"]], [
        data["digests"][0], signer["digest"]]]):  # fmt: skip
        algorithm["algorithm"] = chance.choice(named)


def _with_value(chance: random.Random, data: univ.Sequence) -> None:
    value = bytes(data["signers"][0]["signature"])
    data["signers"][0]["signature"] = chance.choice(
        [value + b"\0", b"\0" + value, value[:-1], value[1:], chance.randbytes(len(value))]
    )


def _with_signed_attribute(chance: random.Random, data: univ.Sequence) -> None:
    attribute = chance.choice(list(data["signers"][0]["signed"]))
    if chance.random() < 0.5:
        attribute["values"][0] = chance.choice([b"\x05\x00", b"\x04\x01a"])
    else:
        attribute["values"][len(attribute["values"])] = b"\x05\x00"


def _with_signer(chance: random.Random, data: univ.Sequence) -> None:
    signer = data["signers"][0]
    if chance.random() < 0.5:
        signer["signer"]["serial"] = int(signer["signer"]["serial"]) + 1
    else:
        data["signers"][1] = signer


def _with_bytes_changed(chance: random.Random, program: bytes) -> bytes:
    """Return the program with some bytes changed, mostly in the headers and the table."""
    changed = bytearray(program)
    table_at, _ = _table(program)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.choice(
            [
                chance.randrange(min(len(changed), 0x200)),
                chance.randrange(len(changed)),
                chance.randrange(min(table_at, len(changed) - 1), len(changed)),
            ]
        )
        changed[at] ^= 1 << chance.randrange(8)
    return with_checksum(bytes(changed)) if chance.random() < 0.6 else bytes(changed)


def _with_table_changed(chance: random.Random, program: bytes) -> bytes:
    """Return the program with another table, header of the table, padding or end."""
    at, size = _table(program)
    if at == len(program):
        return program
    start, table, rest = program[:at], program[at : at + size], program[at + size :]
    body = table[8:]
    choice = chance.randrange(9)
    if choice == 0:
        rest += chance.choice([b"\0", bytes(8), b"appended", program])
    elif choice == 1:
        table += chance.choice([bytes(8), table, b"payload!"])
    elif choice == 2:
        table = struct.pack("<IHH", len(table), chance.choice([0x100, 0x200]), 1) + body
    elif choice == 3:
        table = struct.pack("<I", chance.choice([8, len(table) - 8, len(table) + 8])) + table[4:]
    elif choice == 4:
        start += chance.choice([b"\0" * 8, b"inserted"])
    elif choice == 5:
        table = table[: chance.randrange(len(table) + 1)]
    elif choice == 6:
        table = table[:-1] + b"\x01"
    elif choice == 7:
        other = signature_of(chance.choice(originals()))
        return with_signature(program, other)
    else:
        start = start[: -chance.choice([1, 8])]
    made = with_table(start, len(start), len(table)) + table + rest
    return with_checksum(made) if chance.random() < 0.8 else made


def _table(program: bytes) -> tuple[int, int]:
    try:
        at, size = table_of(program)
    except (KeyError, struct.error):
        return len(program), 0
    return (at, size) if size and at + size <= len(program) else (len(program), 0)
