"""A Windows program is good when neither its detached signature nor its own says otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from awstoe.errors import TrustError
from awstoe.trust import signed_files
from awstoe.trust.authenticode.verify import State
from awstoe.trust.openpgp import keyring
from awstoe.trust.policy import Verdict
from awstoe.trust.signed_files import Publishers, SignedFile
from fakes.certificates import NOW, world
from fakes.openpgp_forge import ForgedKey, packet
from fakes.signed_programs import signed
from fakes.windows_program import make_program, table_of, with_checksum

SECONDS = int(NOW.timestamp())


@pytest.fixture(scope="module")
def maker() -> ForgedKey:
    return ForgedKey(ed25519.Ed25519PrivateKey.generate(), SECONDS - 1000)


ROOT = world().root.certificate.public_bytes(serialization.Encoding.PEM)
OWN = world().publisher.certificate.fingerprint(hashes.SHA1()).hex().upper()


def publishers(thumbprint: str = OWN) -> Publishers:
    return Publishers(ROOT, [thumbprint], needed=True)


def altered() -> bytes:
    """A signed program with another byte in it, and a checksum that fits."""
    program = bytearray(signed())
    program[table_of(bytes(program))[0] - 1] ^= 1
    return with_checksum(bytes(program))


Ask = Callable[..., SignedFile]


@pytest.fixture
def ask(maker: ForgedKey, tmp_path: Path) -> Ask:
    ring = keyring.read(maker.certificate(), "keys")

    def verify(data: bytes, whose: Publishers, of: bytes | None = None) -> SignedFile:
        signature = packet(2, maker.signature(data if of is None else of, created=SECONDS - 5))
        path = tmp_path / "file"
        path.write_bytes(data)
        with path.open("rb") as file:
            return signed_files.verify(file, signature, ring, whose, now=SECONDS)

    return verify


def test_both_signatures_are_good(ask: Ask) -> None:
    found = ask(signed(), publishers())
    assert (found.is_good, found.verdict, found.reason) == (True, Verdict.GOOD, "")
    assert found.authenticode is not None
    assert found.authenticode.state is State.GOOD


def test_a_publisher_that_nobody_knows_spoils_it(ask: Ask) -> None:
    found = ask(signed(), publishers("00" * 20))
    assert (found.is_good, found.verdict) == (False, Verdict.UNTRUSTED)
    assert found.reason.startswith("the Authenticode signature is not good: the signer's cert")


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
    assert (found.authenticode.state if found.authenticode else None) is state


def test_half_a_windows_program_is_not_good(ask: Ask) -> None:
    assert not ask(b"MZ and nothing else", publishers()).is_good


def test_where_no_publisher_is_needed_another_one_is_only_told_of(ask: Ask) -> None:
    for whose in (Publishers(), publishers("00" * 20)._replace(needed=False)):
        found = ask(signed(), whose)
        assert (found.verdict, found.reason) == (Verdict.GOOD, "")
        assert found.authenticode is not None
        assert found.authenticode.state is State.UNTRUSTED


@pytest.mark.parametrize("whose", [Publishers(), publishers()], ids=["nobody", "somebody"])
def test_a_file_that_was_altered_before_it_was_signed_again_is_bad(
    whose: Publishers, ask: Ask
) -> None:
    found = ask(altered(), whose)
    assert (found.is_good, found.verdict) == (False, Verdict.BAD)
    assert "altered after it was signed" in found.reason


REVOKED = publishers()._replace(thumbprints=[], revoked=[OWN])


@pytest.mark.parametrize("whose", [REVOKED, REVOKED._replace(needed=False)])
@pytest.mark.parametrize("others", [[], ["00" * 20]], ids=["all", "one of two"])
def test_a_revoked_publisher_spoils_it(others: list[str], whose: Publishers, ask: Ask) -> None:
    found = ask(signed(), whose._replace(thumbprints=others))
    assert found.verdict is Verdict.REVOKED
    assert "not good: its certificate" in found.reason
    assert found.reason.endswith("is revoked")


def test_with_all_publishers_revoked_nobody_else_counts_either(ask: Ask) -> None:
    """Not even below a root that is still known: it has certified the revoked ones."""
    found = ask(signed(), REVOKED._replace(revoked=["00" * 20]))
    assert found.verdict is Verdict.UNTRUSTED
    assert found.reason.endswith("all certificates that could make it are revoked")


def missing(data: bytes, whose: Publishers, folder: Path) -> SignedFile:
    """What is said of a file without a detached signature."""
    path = folder / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        return signed_files.unsigned(file, "there is none", whose, now=SECONDS)


def test_authenticode_alone_makes_no_file_good(tmp_path: Path) -> None:
    found = missing(signed(), publishers(), tmp_path)
    assert (found.is_good, found.verdict, found.reason) == (
        False,
        Verdict.UNSIGNED,
        "there is none",
    )
    assert found.authenticode is not None
    assert found.authenticode.state is State.GOOD
    assert missing(signed(), publishers("00" * 20), tmp_path).verdict is Verdict.UNSIGNED


def test_without_a_detached_signature_an_altered_program_is_bad(tmp_path: Path) -> None:
    assert missing(altered(), Publishers(), tmp_path).verdict is Verdict.BAD


def test_damaged_certificates_are_no_reason_to_look_away(ask: Ask) -> None:
    with pytest.raises(TrustError, match="certificates cannot be read"):
        ask(signed(), Publishers(b"nonsense", ["00" * 20]))
