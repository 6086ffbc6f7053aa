"""Corruption, with gpg as the oracle: what gpg rejects is never accepted here."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import Verdict
from awstoe_signing.openpgp import sign as openpgp_signing
from fakes.gnupg import GPG, Gpg, gpg
from fakes.openpgp_forge import CERTIFY_AND_SIGN, NOW, Fields, old_packet, packet, time_of
from unit.trust.openpgp.cases import CERTIFICATES, DATA, SIGNATURES, SUBKEYS, Keys, notation

needs_gpg = pytest.mark.skipif(GPG is None, reason="gpg is not installed")


def accepts(signature: bytes, keys: bytes, data: bytes = DATA) -> bool:
    try:
        trusted = keyring.read(keys, "keys")
    except TrustError:
        return False
    return openpgp.verify(io.BytesIO(data), signature, trusted, now=NOW).is_good


class Judge:
    """gpg, and the two files that it verifies."""

    def __init__(self, gpg: Gpg, folder: Path) -> None:
        self.gpg = gpg
        self.signature, self.file = folder / "signature", folder / "file"

    def accepts(self, signature: bytes, data: bytes = DATA) -> bool:
        self.signature.write_bytes(signature)
        self.file.write_bytes(data)
        return self.gpg.accepts(self.signature, self.file, NOW)


@pytest.fixture
def judge(tmp_path: Path, keys: Keys) -> Iterator[Judge]:
    """gpg with all the keys."""
    with gpg() as program:
        program.take(trusted(keys), NOW)
        yield Judge(program, tmp_path)


def trusted(keys: Keys) -> bytes:
    return keys.key.certificate() + keys.other.certificate() + keys.weak.certificate()


@needs_gpg
def test_gpg_accepts_every_signature_of_the_table_that_is_accepted(
    judge: Judge, keys: Keys
) -> None:
    good = [case for case, row in SIGNATURES.items() if row[1] is Verdict.GOOD]
    assert [case for case in good if not judge.accepts(SIGNATURES[case][0](keys))] == []


@needs_gpg
@pytest.mark.parametrize("table", ["certificates", "subkeys"])
def test_gpg_accepts_every_key_of_the_tables_that_is_accepted(
    table: str, keys: Keys, tmp_path: Path
) -> None:
    cases = CERTIFICATES if table == "certificates" else SUBKEYS
    maker = keys.key if table == "certificates" else keys.other
    signature = packet(2, maker.signature(DATA))
    refused = []
    for case, (make, verdict, _) in cases.items():
        if verdict is not Verdict.GOOD:
            continue
        with gpg() as program:
            program.take(make(keys), NOW)
            if not Judge(program, tmp_path).accepts(signature):
                refused.append(case)
    assert refused == []


@pytest.mark.parametrize("form", ["RSA", "Ed25519", "old header", "armored"])
def test_no_single_byte_of_a_signature_can_be_changed(form: str, keys: Keys) -> None:
    maker = keys.other if form == "Ed25519" else keys.key
    make = old_packet if form == "old header" else packet
    signature = make(2, maker.signature(DATA))
    if form == "armored":
        signature = openpgp_signing.armored(signature, "SIGNATURE")
    ring = keyring.read(trusted(keys), "keys")
    chance = random.Random(1)
    accepted = []
    for position, byte in enumerate(signature):
        # Every single bit of the short one; random values for the longer ones.
        bits = range(8) if form == "Ed25519" else chance.sample(range(8), 2)
        others = {byte ^ 1 << bit for bit in bits} | {chance.randrange(256)} - {byte}
        for other in others:
            changed = signature[:position] + bytes([other]) + signature[position + 1 :]
            if openpgp.verify(io.BytesIO(DATA), changed, ring, now=NOW).is_good:
                accepted.append((position, other))
    assert accepted == []


def test_no_byte_of_a_signature_can_be_removed_or_added(keys: Keys) -> None:
    signature = packet(2, keys.key.signature(DATA))
    ring = keyring.read(trusted(keys), "keys")
    chance = random.Random(2)
    for position in range(len(signature) + 1):
        shorter = signature[:position] + signature[position + 1 :]
        longer = signature[:position] + chance.randbytes(1) + signature[position:]
        for changed in (shorter, longer):
            if changed != signature:
                assert not openpgp.verify(io.BytesIO(DATA), changed, ring, now=NOW).is_good


def test_no_single_byte_of_a_file_can_be_changed(keys: Keys) -> None:
    data = random.Random(3).randbytes(1500)
    signature = packet(2, keys.other.signature(data))
    ring = keyring.read(trusted(keys), "keys")
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        result = openpgp.verify(io.BytesIO(bytes(changed)), signature, ring, now=NOW)
        assert result.deciding.verdict is Verdict.BAD


@needs_gpg
def test_gpg_accepts_every_combination_of_signatures_that_is_accepted(
    judge: Judge, keys: Keys
) -> None:
    single = {
        "good": keys.key.signature(DATA),
        "also good": keys.other.signature(DATA, hash_number=8),
        "bad": keys.key.signature(b""),
        "unknown": keys.key.signature(
            DATA, hashed=[time_of(2, NOW - 5)], unhashed=[(16, b"12345678")]
        ),
        "expired": keys.key.signature(DATA, extra=[time_of(3, 5)]),
        "SHA-1": keys.key.signature(DATA, hash_number=2),
        "of text": keys.key.signature(DATA, kind=1),
    }
    accepted = []
    for one, first in single.items():
        for two, second in single.items():
            both = packet(2, first) + packet(2, second)
            if accepts(both, trusted(keys)):
                accepted.append((one, two))
                assert judge.accepts(both), (one, two)
    good = {"good", "also good"}
    assert set(accepted) == {(one, two) for one in good for two in good}


@pytest.mark.slow
@needs_gpg
def test_gpg_accepts_every_random_signature_that_is_accepted(judge: Judge, keys: Keys) -> None:
    """Random signatures, most of them nearly right."""
    chance = random.Random(4)
    accepted = 0
    for _ in range(300):
        signature, described = random_signature(chance, keys)
        if accepts(signature, trusted(keys)):
            accepted += 1
            assert judge.accepts(signature), described
    assert accepted > 50


def random_signature(chance: random.Random, keys: Keys) -> tuple[bytes, Fields]:
    maker = chance.choice([keys.key, keys.other])
    kinds = [*range(40), 100, 110, 127]
    usual = [(2, (NOW - 50).to_bytes(4)), maker.issuer_fingerprint, maker.issuer]
    odd = [
        (chance.choice(kinds) | chance.choice([0, 0, 0, 0x80]), chance.randbytes(length))
        for length in chance.choices([0, 1, 4, 8, 20, 21, 200], k=chance.choice([0, 1, 1, 2]))
    ]
    hashed = [*chance.sample(usual, chance.choice([1, 2, 3, 3])), *odd]
    if chance.random() < 0.3:
        hashed.append(notation(chance.randbytes(3), chance.randbytes(chance.randrange(300))))
    chance.shuffle(hashed)
    unhashed = chance.choice([[], [maker.issuer], [maker.issuer, maker.issuer_fingerprint]])
    fields: Fields = {
        "hashed": hashed,
        "unhashed": unhashed,
        "hash_number": chance.choice([8, 9, 10]),
    }
    body = maker.signature(DATA, **fields)
    made = chance.choice([packet, old_packet])(2, body)
    if chance.random() < 0.3:
        made = openpgp_signing.armored(made, "SIGNATURE")
        if chance.random() < 0.5:
            header = chance.choice([b"Version: x", b"Comment:  y  z ", b"Hash: SHA1", b"Comment: "])
            made = made.replace(b"\n\n", b"\n" + header + b"\n\n", 1)
        made = chance.choice([made, made.replace(b"\n", b"\r\n"), made.removesuffix(b"\n")])
    return made, fields


@pytest.mark.slow
@needs_gpg
@pytest.mark.parametrize("part", ["certificate", "subkey"])
def test_gpg_accepts_every_changed_key_that_is_accepted(
    part: str, keys: Keys, tmp_path: Path
) -> None:
    """A byte of the key file is changed: what still verifies here also verifies with gpg."""
    chance = random.Random(5)
    extra = [CERTIFY_AND_SIGN, (30, b"\x01"), (0x80 | 9, (99_999).to_bytes(4))]
    more = keys.key.subkey(keys.other) if part == "subkey" else b""
    ring = keys.key.certificate(extra=extra, more=more)
    maker = keys.other if part == "subkey" else keys.key
    signature = packet(2, maker.signature(DATA))
    assert accepts(signature, ring)
    survivors = []
    for position in range(len(ring)):
        changed = bytearray(ring)
        changed[position] ^= 1 << chance.randrange(8)
        if accepts(signature, bytes(changed)):
            survivors.append(bytes(changed))
    for changed_ring in chance.sample(survivors, min(25, len(survivors))):
        with gpg() as program:
            program.take(changed_ring, NOW)
            assert Judge(program, tmp_path).accepts(signature)
