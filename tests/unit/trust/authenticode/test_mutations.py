"""No byte of a signed program can be changed: every change is rejected, without a crash."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awstoe.trust.authenticode import verify as authenticode
from awstoe.trust.authenticode.verify import SignatureResult, State
from fakes.certificates import NOW, world
from fakes.signed_programs import (
    honest_stamps,
    sign,
    signature_of,
    signed,
    stamped,
    with_signature,
)
from fakes.windows_program import make_program, table_of, with_checksum

pytestmark = pytest.mark.slow

REFUSED = {State.BAD, State.UNTRUSTED}


def verify(program: bytes, *, stamps: bool = True) -> SignatureResult:
    return authenticode.verify_file(
        io.BytesIO(program),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate] if stamps else [],
        now=NOW,
    )


def altered(program: bytes, at: int, value: int) -> bytes:
    return program[:at] + bytes([value]) + program[at + 1 :]


def accepted(program: bytes, places: range, seed: int) -> list[tuple[int, int]]:
    """Return the offsets and values of accepted changes; tries one random value per offset."""
    chance = random.Random(seed)
    changes = []
    for at in places:
        value = program[at] ^ chance.randrange(1, 256)
        if verify(altered(program, at, value)).state in {State.GOOD, State.UNSIGNED}:
            changes.append((at, value))
    return changes


@pytest.mark.parametrize("quarter", range(4))
def test_no_byte_of_a_stamped_program_can_be_changed(quarter: int) -> None:
    program = stamped()
    assert verify(program).state is State.GOOD
    places = range(quarter, len(program), 4)
    assert accepted(program, places, seed=quarter) == []


def test_no_bit_of_the_signature_and_its_timestamp_can_be_changed() -> None:
    # Every ninth byte: all of them take minutes, and an earlier run found nothing more.
    program = stamped()
    at, size = table_of(program)
    changes = [
        (place, bit)
        for place in range(at, at + size, 9)
        for bit in range(8)
        if verify(altered(program, place, program[place] ^ 1 << bit)).state is State.GOOD
    ]
    assert changes == []


def test_no_byte_of_a_program_signed_with_rsa_can_be_changed() -> None:
    chain = [world().rsa_publisher.certificate, world().between.certificate]
    program = sign(make_program("PE32"), world().rsa_publisher, chain, authority=honest_stamps())
    assert accepted(program, range(0, len(program), 3), seed=5) == []


def test_change_with_a_matching_checksum_is_rejected() -> None:
    program = stamped()
    chance = random.Random(6)
    for at in range(2, len(program), 11):
        fitting = with_checksum(altered(program, at, program[at] ^ chance.randrange(1, 256)))
        if fitting != program:  # a change of only the checksum has been undone
            assert verify(fitting).state in REFUSED, at


def test_only_the_last_certificate_of_an_ignored_timestamp_can_be_changed() -> None:
    """The documented exception: its authority is unknown, so no signature covers it."""
    program = stamped()
    encoded = world().stamp_root.certificate.tbs_certificate_bytes
    after = program.index(encoded) + len(encoded)
    chance = random.Random(7)
    for at in range(0, len(program), 2):
        changed = verify(altered(program, at, program[at] ^ chance.randrange(1, 256)), stamps=False)
        assert changed.state in REFUSED | {State.OTHER} or at >= after


@pytest.mark.parametrize("cut", ["bytes", "table", "headers"])
def test_truncated_program_is_rejected(cut: str) -> None:
    program = signed()
    at, _size = table_of(program)
    lengths = {"bytes": range(2, len(program), 37), "table": range(at, at + 64)}
    for length in lengths.get(cut, range(2, 0x200)):
        assert verify(program[:length]).state is State.BAD


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_as_a_program_result_in_a_verdict(data: bytes) -> None:
    assert verify(b"MZ" + data).state in {State.BAD, State.UNSIGNED}


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_as_a_signature_result_in_a_verdict(data: bytes) -> None:
    body = b"\x30\x82" + len(data).to_bytes(2, "big") + data
    assert verify(with_signature(make_program(), body)).state is State.BAD


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_spliced_signatures_are_rejected(data: st.DataObject) -> None:
    """Pieces are replaced, repeated and removed; the lengths around them stay as they were."""
    body = signature_of(stamped()).rstrip(b"\0")
    size = len(body)
    start, end = sorted(data.draw(st.lists(st.integers(4, size), min_size=2, max_size=2)))
    piece = data.draw(st.binary(max_size=40)) * data.draw(st.integers(0, 20))
    changed = body[:start] + piece + body[end:]
    changed = changed[:2] + (len(changed) - 4).to_bytes(2, "big") + changed[4:]
    program = with_signature(stamped(), changed)
    assert verify(program).state in REFUSED or program == stamped()
