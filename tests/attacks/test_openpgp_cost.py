"""Key files that an attacker wrote to keep the verifier busy: their cost is counted and limited."""

import io
import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from awstoe import limits
from awstoe.trust.openpgp import keyring, signatures
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.openpgp.components import Allowance
from awstoe.trust.openpgp.keys import PublicKey
from awstoe.trust.policy import Verdict, Verification
from fakes.openpgp_forge import NOW, ForgedKey, mpi, packet

DATA = b"the program\n"


def judged(keys: bytes, signature: bytes) -> Verification:
    assert len(keys) <= limits.KEYRING_BYTES
    return openpgp.verify(io.BytesIO(DATA), signature, keyring.read(keys, "keys"), now=NOW)


def filled(start: bytes, more: Callable[[int], bytes]) -> bytes:
    """Return a key file that is as large as possible."""
    parts = [start]
    left = limits.KEYRING_BYTES - len(start)
    while len(part := more(len(parts))) <= left:
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


@pytest.fixture(scope="module")
def key() -> ForgedKey:
    return ForgedKey(ed25519.Ed25519PrivateKey.generate())


@pytest.mark.parametrize("count", [1, limits.SIGNATURES])
def test_signatures_that_are_tried_with_every_part(count: int, key: ForgedKey) -> None:
    """No signature is of any of the user IDs, and none says so."""
    users = b"".join(packet(13, b"%d" % number) for number in range(1000))
    ring = filled(
        key.certificate() + users,
        lambda number: packet(2, key.certification(b"%d?" % number, unhashed=[])),
    )
    result = judged(ring, packet(2, key.signature(DATA)) * count).deciding
    assert result.verdict is Verdict.UNTRUSTED
    assert "more signatures than can be checked" in result.reason


def test_large_key_with_many_signatures() -> None:
    chance = random.Random(1)
    modulus = chance.getrandbits(16384) | 1 << 16383 | 1
    exponent = chance.getrandbits(64) | 1 << 63 | 1
    body = b"\x04" + (NOW - 10_000).to_bytes(4) + b"\x01" + mpi(modulus) + mpi(exponent)
    head = b"\x04\x13\x01\x08\x00\x06\x05\x02" + NOW.to_bytes(4) + b"\0\0ab"
    ring = filled(
        packet(6, body) + packet(13, b"user"),
        lambda number: packet(2, head + mpi(1 << 100 | number)),
    )
    certificate = keyring.read(ring, "keys").certificates[0]
    problem = certificate.signing_keys(NOW, Allowance())[0].problem
    assert problem is not None
    assert "more signatures than can be checked" in problem.reason


def test_exponent_of_a_key_is_limited() -> None:
    body = b"\x04" + bytes(4) + b"\x01" + mpi(1 << 3071 | 1)
    assert PublicKey(body + mpi(1 << 63 | 1)).weakness == ""
    assert "an exponent of 65 bits; the limit is 64" in PublicKey(body + mpi(1 << 64 | 1)).weakness


def test_a_certificate_is_judged_once(key: ForgedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    original = signatures.Signature.opened_by

    def counting(self: signatures.Signature, by: PublicKey) -> object:
        opened.append(by)
        return original(self, by)

    monkeypatch.setattr(signatures.Signature, "opened_by", counting)
    signature = packet(2, key.signature(DATA))
    other = ForgedKey(ed25519.Ed25519PrivateKey.generate())
    assert judged(key.certificate() + other.certificate(), signature * limits.SIGNATURES).is_good
    assert len(opened) == 1


def test_a_personal_key_with_hundreds_of_signatures_stays_usable(key: ForgedKey) -> None:
    users = [b"user %d" % number for number in range(500)]
    ring = key.certificate(created=NOW - 200) + b"".join(
        packet(13, user) + packet(2, key.certification(user)) for user in users
    )
    assert judged(ring, packet(2, key.signature(DATA))).is_good
