"""The verdicts on detached signatures: one forged case for every rule of the verifier."""

import hashlib
import io

import pytest

from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import KeyState, Verdict, Verification
from awstoe_signing.openpgp import sign as openpgp_signing
from fakes.openpgp_forge import CERTIFY_AND_SIGN, NOW, mpi, packet, time_of
from unit.trust.openpgp.cases import CERTIFICATES, DATA, SIGNATURES, SUBKEYS, Keys


def verified(signature: bytes, keys: bytes, *, data: bytes = DATA, now: int = NOW) -> Verification:
    trusted = keyring.read(keys, "keys")
    return openpgp.verify(io.BytesIO(data), signature, trusted, now=now)


@pytest.mark.parametrize("case", SIGNATURES)
def test_a_signature_is_judged_by_every_rule(case: str, keys: Keys) -> None:
    make, verdict, reason = SIGNATURES[case]
    trusted = keys.key.certificate() + keys.other.certificate() + keys.weak.certificate()
    result = verified(make(keys), trusted)
    assert result.deciding.verdict is verdict, result.deciding.reason
    assert reason in result.deciding.reason
    assert result.sha256 == hashlib.sha256(DATA).hexdigest()
    assert result.is_good == (verdict is Verdict.GOOD)


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_is_judged_by_every_rule(case: str, keys: Keys) -> None:
    make, verdict, reason = CERTIFICATES[case]
    result = verified(packet(2, keys.key.signature(DATA)), make(keys)).deciding
    assert result.verdict is verdict, result.reason
    assert reason in result.reason


@pytest.mark.parametrize("case", SUBKEYS)
def test_a_subkey_is_judged_by_every_rule(case: str, keys: Keys) -> None:
    make, verdict, reason = SUBKEYS[case]
    result = verified(packet(2, keys.other.signature(DATA)), make(keys)).deciding
    assert result.verdict is verdict, result.reason
    assert reason in result.reason
    if verdict is Verdict.GOOD:
        assert result.fingerprint == keys.key.fingerprint.hex().upper()
        assert result.signing_key == keys.other.fingerprint.hex().upper()


def test_a_signature_older_than_the_expiry_of_its_key_is_good_with_a_warning(keys: Keys) -> None:
    signature = packet(2, keys.key.signature(DATA))
    certificate = keys.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(9, 9_950)])
    before = verified(signature, certificate, now=NOW - 51).deciding
    after = verified(signature, certificate, now=NOW).deciding
    assert (before.verdict, before.warnings) == (Verdict.GOOD, ())
    assert after.verdict is Verdict.GOOD
    assert "the key has expired" in after.warnings[0]


@pytest.mark.parametrize("now", [NOW, 2**31 + 5, 2**32 - 2, 2**32 + 5])
def test_times_beyond_2038_and_2106_are_supported(now: int, keys: Keys) -> None:
    created = min(now - 5, 2**32 - 3)
    certificate = keys.key.certificate()
    result = verified(packet(2, keys.key.signature(DATA, created=created)), certificate, now=now)
    assert result.is_good
    assert not result.deciding.warnings


def test_a_key_made_in_the_future_points_to_the_clock(keys: Keys) -> None:
    signature = packet(2, keys.key.signature(DATA))
    result = verified(signature, keys.key.certificate(), now=NOW - 10**9).deciding
    assert result.verdict is Verdict.UNTRUSTED
    assert "check the clock" in result.reason


def test_states_of_release_keys_decide(keys: Keys) -> None:
    signature = packet(2, keys.key.signature(DATA))
    fingerprint = keys.key.fingerprint.hex().upper()

    def verdict(states: dict[str, KeyState]) -> Verdict:
        trusted = keyring.read(keys.key.certificate(), "keys", states)
        return openpgp.verify(io.BytesIO(DATA), signature, trusted, now=NOW).deciding.verdict

    for state in (KeyState.CURRENT, KeyState.NEXT, KeyState.RETIRED):
        assert verdict({fingerprint: state}) is Verdict.GOOD
    assert verdict({fingerprint: KeyState.REVOKED}) is Verdict.REVOKED
    assert verdict({}) is Verdict.UNTRUSTED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"not a key\n", "neither packets nor armor"),
        (packet(2, b"\x04"), "starts with a packet of type 2"),
        (packet(12, b"\0\0"), "starts with a packet of type 12"),
        (packet(5, b"\x04"), "contains a private key"),
        (packet(6, b"\x03" + bytes(20)), "version 3"),
        (packet(6, b"\x04"), "a public key has 1 bytes"),
        (bytes([0xC6]) * 300_000, "more than 262144 bytes"),
        (openpgp_signing.armored(b"\x99", "SIGNATURE"), "other armor"),
    ],
)
def test_other_files_than_key_files_are_rejected_with_a_reason(data: bytes, message: str) -> None:
    with pytest.raises(TrustError, match=message):
        keyring.read(data, "keys")


def test_a_key_with_impossible_numbers_signs_nothing(keys: Keys) -> None:
    body = b"\x04" + bytes(4) + b"\x01" + mpi(2**3072 + 1) + mpi(2)
    fingerprint = hashlib.sha1(b"\x99" + len(body).to_bytes(2) + body).digest()
    signature = keys.key.signature(
        DATA, hashed=[time_of(2, NOW)], unhashed=[(16, fingerprint[-8:])]
    )
    certificate = packet(6, body) + packet(13, b"x")
    result = verified(packet(2, signature), certificate).deciding
    assert result.verdict is Verdict.UNTRUSTED
    assert "impossible numbers" in result.reason
