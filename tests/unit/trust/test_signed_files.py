"""A Windows program is good if its detached signature is, and its own does not spoil it."""

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
    """Return a signed program with one changed byte and a matching checksum."""
    program = bytearray(signed())
    program[table_of(bytes(program))[0] - 1] ^= 1
    return with_checksum(bytes(program))


Verify = Callable[..., SignedFile]


@pytest.fixture
def verify(maker: ForgedKey, tmp_path: Path) -> Verify:
    ring = keyring.read(maker.certificate(), "keys")

    def run(data: bytes, whose: Publishers, of: bytes | None = None) -> SignedFile:
        signature = packet(2, maker.signature(data if of is None else of, created=SECONDS - 5))
        path = tmp_path / "file"
        path.write_bytes(data)
        with path.open("rb") as file:
            return signed_files.verify(file, signature, ring, whose, now=SECONDS)

    return run


def test_both_signatures_are_good(verify: Verify) -> None:
    result = verify(signed(), publishers())
    assert (result.is_good, result.verdict, result.reason) == (True, Verdict.GOOD, "")
    assert result.authenticode is not None
    assert result.authenticode.state is State.GOOD


def test_a_signature_of_an_unknown_publisher_is_not_good(verify: Verify) -> None:
    result = verify(signed(), publishers("00" * 20))
    assert (result.is_good, result.verdict) == (False, Verdict.UNTRUSTED)
    assert result.reason.startswith("the Authenticode signature is not good: the signer's cert")


def test_a_good_authenticode_signature_does_not_make_a_bad_detached_one_good(
    verify: Verify,
) -> None:
    result = verify(signed(), publishers(), of=b"something else")
    assert (result.is_good, result.verdict) == (False, Verdict.BAD)
    assert result.reason.startswith("the file is not what was signed")


@pytest.mark.parametrize(
    ("data", "state"),
    [(make_program(), State.UNSIGNED), (b"#!/bin/sh\n", None), (b"", None)],
)
def test_without_an_authenticode_signature_the_detached_one_decides(
    data: bytes, state: State | None, verify: Verify
) -> None:
    result = verify(data, publishers())
    assert result.is_good
    assert (result.authenticode.state if result.authenticode else None) is state


def test_a_truncated_windows_program_is_not_good(verify: Verify) -> None:
    assert not verify(b"MZ and nothing else", publishers()).is_good


def test_if_no_publisher_is_required_another_one_is_only_reported(verify: Verify) -> None:
    for whose in (Publishers(), publishers("00" * 20)._replace(needed=False)):
        result = verify(signed(), whose)
        assert (result.verdict, result.reason) == (Verdict.GOOD, "")
        assert result.authenticode is not None
        assert result.authenticode.state is State.UNTRUSTED


@pytest.mark.parametrize("whose", [Publishers(), publishers()], ids=["no publisher", "a publisher"])
def test_a_file_that_was_altered_before_it_was_signed_again_is_bad(
    whose: Publishers, verify: Verify
) -> None:
    result = verify(altered(), whose)
    assert (result.is_good, result.verdict) == (False, Verdict.BAD)
    assert "altered after it was signed" in result.reason


REVOKED = publishers()._replace(thumbprints=[], revoked=[OWN])


@pytest.mark.parametrize("whose", [REVOKED, REVOKED._replace(needed=False)])
@pytest.mark.parametrize("others", [[], ["00" * 20]], ids=["all", "one of two"])
def test_a_signature_of_a_revoked_publisher_is_not_good(
    others: list[str], whose: Publishers, verify: Verify
) -> None:
    result = verify(signed(), whose._replace(thumbprints=others))
    assert result.verdict is Verdict.REVOKED
    assert "not good: its certificate" in result.reason
    assert result.reason.endswith("is revoked")


def test_with_all_publishers_revoked_no_other_is_trusted(verify: Verify) -> None:
    """Not even below a root that is still known: it certified the revoked ones."""
    result = verify(signed(), REVOKED._replace(revoked=["00" * 20]))
    assert result.verdict is Verdict.UNTRUSTED
    assert result.reason.endswith("all certificates that could make it are revoked")


def missing(data: bytes, whose: Publishers, folder: Path) -> SignedFile:
    """Return the result for a file without a detached signature."""
    path = folder / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        return signed_files.unsigned(file, "there is none", whose, now=SECONDS)


def test_an_authenticode_signature_alone_does_not_make_a_file_good(tmp_path: Path) -> None:
    result = missing(signed(), publishers(), tmp_path)
    assert (result.is_good, result.verdict, result.reason) == (
        False,
        Verdict.UNSIGNED,
        "there is none",
    )
    assert result.authenticode is not None
    assert result.authenticode.state is State.GOOD
    assert missing(signed(), publishers("00" * 20), tmp_path).verdict is Verdict.UNSIGNED


def test_without_a_detached_signature_an_altered_program_is_bad(tmp_path: Path) -> None:
    assert missing(altered(), Publishers(), tmp_path).verdict is Verdict.BAD


def test_damaged_certificates_are_an_error(verify: Verify) -> None:
    with pytest.raises(TrustError, match="certificates cannot be read"):
        verify(signed(), Publishers(b"nonsense", ["00" * 20]))
