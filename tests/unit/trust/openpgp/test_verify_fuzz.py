"""Any bytes result in a verdict: nothing raises, and nothing malformed is good."""

import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.openpgp.keyring import Keyring
from awstoe_signing.openpgp import sign as openpgp_signing
from fakes.openpgp_forge import NOW, ForgedKey, packet
from unit.trust.openpgp.cases import DATA

Splices = list[tuple[float, int, bytes]]
_FEW = settings(max_examples=150, deadline=None, derandomize=True)
_SPLICES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=4
)


def spliced(data: bytes, splices: Splices) -> bytes:
    """Return ``data`` with pieces replaced."""
    for place, length, new in splices:
        start = int(place * len(data))
        data = data[:start] + new + data[start + length :]
    return data


def judged(signature: bytes, ring: Keyring) -> bool:
    result = openpgp.verify(io.BytesIO(DATA), signature, ring, now=NOW)
    assert result.is_good or result.deciding.reason
    return result.is_good


def read(data: bytes) -> Keyring:
    """Return the keys in any bytes; none if they are rejected."""
    try:
        return keyring.read(data, "keys")
    except TrustError:
        return Keyring([])


@_FEW
@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data: bytes) -> None:
    assert not judged(data, read(data))


@_FEW
@given(
    st.lists(st.tuples(st.integers(0, 63), st.binary(max_size=80)), max_size=6),
    st.sampled_from(["SIGNATURE", "PUBLIC KEY BLOCK"]),
)
def test_any_packets_are_judged(packets: list[tuple[int, bytes]], label: str) -> None:
    data = b"".join(packet(tag, body) for tag, body in packets)
    for each in (data, openpgp_signing.armored(data, label)):
        assert not judged(each, read(each))


# The keys of a fixture stay the same from one example to the next.
_FIXTURES = settings(_FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FIXTURES
@given(splices=_SPLICES)
def test_a_damaged_signature_is_judged(splices: Splices, key: ForgedKey) -> None:
    ring = read(key.certificate())
    good = packet(2, key.signature(DATA))
    for form in (good, openpgp_signing.armored(good, "SIGNATURE")):
        changed = spliced(form, splices)
        assert not judged(changed, ring) or changed == form


@_FIXTURES
@given(splices=_SPLICES)
def test_a_damaged_key_is_judged(splices: Splices, key: ForgedKey, other_key: ForgedKey) -> None:
    ring = key.certificate(more=key.subkey(other_key))
    judged(packet(2, key.signature(DATA)), read(spliced(ring, splices)))
