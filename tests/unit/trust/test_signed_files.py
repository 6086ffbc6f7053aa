"""A Windows program is good when neither its detached signature nor its own says otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from awstoe.errors import TrustError
from awstoe.trust import keyring, signed_files
from awstoe.trust.authenticode import State
from awstoe.trust.policy import Verdict
from awstoe.trust.signed_files import Publishers, SignedFile
from fakes.certificates import NOW, world
from fakes.openpgp_forge import ForgedKey, packet
from fakes.signed_programs import signed
from fakes.windows_program import make_program

SECONDS = int(NOW.timestamp())


@pytest.fixture(scope="module")
def maker() -> ForgedKey:
    return ForgedKey(ed25519.Ed25519PrivateKey.generate(), SECONDS - 1000)


def publishers(thumbprint: str = "") -> Publishers:
    chain = world().chain
    root = world().root.certificate.public_bytes(serialization.Encoding.PEM)
    own = chain[0].fingerprint(hashes.SHA256()).hex()
    return Publishers(root, [thumbprint or own], b"")


Ask = Callable[..., SignedFile]


@pytest.fixture
def ask(maker: ForgedKey, tmp_path: Path) -> Ask:
    ring = keyring.read(maker.certificate(), "keys")

    def verify(data: bytes, whose: Publishers | None, of: bytes | None = None) -> SignedFile:
        signature = packet(2, maker.signature(data if of is None else of, created=SECONDS - 5))
        path = tmp_path / "file"
        path.write_bytes(data)
        with path.open("rb") as file:
            return signed_files.verify(file, signature, ring, whose, now=SECONDS)

    return verify


def test_both_signatures_are_good(ask: Ask) -> None:
    found = ask(signed(), publishers())
    assert (found.is_good, found.verdict, found.reason) == (True, Verdict.GOOD, "")
    assert found.within is not None
    assert found.within.state is State.GOOD


def test_a_publisher_that_nobody_knows_spoils_it(ask: Ask) -> None:
    found = ask(signed(), publishers("00" * 20))
    assert (found.is_good, found.verdict) == (False, Verdict.BAD)
    assert found.reason.startswith("the Authenticode signature is not good: ")


def test_a_good_authenticode_signature_saves_no_bad_detached_one(ask: Ask) -> None:
    found = ask(signed(), publishers(), of=b"something else")
    assert (found.is_good, found.verdict) == (False, Verdict.BAD)
    assert found.reason.startswith("the file is not what was signed")


@pytest.mark.parametrize(
    ("data", "state"),
    [(make_program(), State.UNSIGNED), (b"#!/bin/sh\n", None), (b"", None)],
)
def test_where_there_is_none_the_detached_one_decides(
    data: bytes, state: State | None, ask: Ask
) -> None:
    found = ask(data, publishers())
    assert found.is_good
    assert (found.within.state if found.within else None) is state


def test_half_a_windows_program_is_not_good(ask: Ask) -> None:
    assert not ask(b"MZ and nothing else", publishers()).is_good


def test_without_known_publishers_nothing_is_said_about_it(ask: Ask) -> None:
    assert ask(signed(), None).within is None


def test_damaged_certificates_are_no_reason_to_look_away(ask: Ask) -> None:
    with pytest.raises(TrustError, match="certificates cannot be read"):
        ask(signed(), Publishers(b"nonsense", ["00" * 20], b""))
