"""The command ``sign-program``: the keys of a rehearsal sign, and users accept the result."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe.trust.authenticode import verify as authenticode
from awstoe.trust.authenticode.verify import State
from awstoe.trust.policy import KeyState
from awstoe_signing.__main__ import main
from awstoe_signing.authenticode import osslsigncode
from awstoe_signing.keys.directory import KeyDirectory
from fakes.certificates import TIME_STAMPING, make, signer, world
from fakes.timestamp_server import Authority, serve
from fakes.windows_program import make_program

AT = "2027-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with only an Authenticode key."""
    folder = tmp_path_factory.mktemp("ceremony") / "keys"
    assert main(["ceremony", "--directory", str(folder), "--rehearsal", "--empty"]) == 0
    assert main(["create", "--directory", str(folder), "--purpose", "authenticode"]) == 0
    return folder


def root_of(keys: Path) -> x509.Certificate:
    chain = next((keys / "public").glob("authenticode*.pem")).read_bytes()
    return x509.load_pem_x509_certificates(chain)[-1]


def test_program_is_signed_in_place(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "awstoe.exe"
    path.write_bytes(make_program())
    assert main(["sign-program", "--directory", str(keys), str(path)]) == 0
    verdict = authenticode.verify(str(path), trusted=[root_of(keys)], now=datetime.now(UTC))
    assert verdict.state is State.GOOD
    output = capsys.readouterr().out
    assert f"{path}: signed by {verdict.thumbprint}; " in output
    assert ("osslsigncode accepts it" in output) is bool(shutil.which("osslsigncode"))
    assert main(["sign-program", "--directory", str(keys), str(path)]) == 1
    assert "it is signed already" in capsys.readouterr().err


def test_timestamp_server_needs_a_known_authority(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "awstoe.exe"
    path.write_bytes(make_program())
    moment = datetime.now(UTC)
    stamper = make(
        "Now Stamper",
        signer(TIME_STAMPING, critical=True),
        by=world().stamp_root,
        end=moment.replace(year=moment.year + 1),
    )
    authority = Authority(stamper, world().stamp_root.certificate, moment)
    with serve(authority) as served:
        arguments = ["sign-program", "--directory", str(keys), "--time-stamp", served.url]
        assert main([*arguments, str(path)]) == 1
        assert "a timestamp needs a trusted timestamp authority" in capsys.readouterr().err
        assert path.read_bytes() == make_program()
        roots = keys / "public" / "timestamping.pem"
        roots.write_bytes(world().stamp_root.certificate.public_bytes(Encoding.PEM))
        assert main([*arguments, str(path)]) == 0
        roots.unlink()
    verdict = authenticode.verify(
        str(path),
        trusted=[root_of(keys)],
        timestamp_authorities=[world().stamp_root.certificate],
        now=moment,
    )
    assert (verdict.reason, verdict.stamped_by) == (None, "Now Stamper")


@pytest.mark.slow
def test_only_a_trusted_key_signs_programs(
    made_keys: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = tmp_path / "awstoe.exe", str(tmp_path / "keys")
    path.write_bytes(make_program())
    shutil.copytree(keys, folder)
    name = ("--name", "authenticode-1")
    book = KeyDirectory(folder)
    for state in (KeyState.RETIRED, KeyState.REVOKED):
        book.put(book.key("authenticode-1")._replace(state=state))
        assert main(["sign-program", "--directory", folder, *name, str(path)]) == 1
        assert f"a {state} key for authenticode: it does not sign" in capsys.readouterr().err
    other = ("--directory", str(made_keys), "--name", "openpgp-1")
    assert main(["sign-program", *other, str(path)]) == 1
    assert "key for openpgp: it does not sign" in capsys.readouterr().err
    book.put(book.key("authenticode-1")._replace(state=KeyState.CURRENT, fingerprint=""))
    assert main(["sign-program", "--directory", folder, str(path)]) == 1
    assert "authenticode-1 has no certificate yet" in capsys.readouterr().err
    assert path.read_bytes() == make_program()


def test_a_page_that_is_not_ascii_is_rejected(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "awstoe.exe"
    path.write_bytes(make_program())
    page = ("--page", "https://größe.example/")
    assert main(["sign-program", "--directory", str(keys), *page, str(path)]) == 1
    assert "has characters that are not ASCII: nothing signed" in capsys.readouterr().err
    assert path.read_bytes() == make_program()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts other files")
def test_osslsigncode_that_cannot_be_started_is_reported(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stub = tmp_path / "awstoe.exe", tmp_path / "osslsigncode"
    path.write_bytes(make_program())
    stub.write_bytes(b"\x7fELF, but not really")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["sign-program", "--directory", str(keys), str(path)]) == 1
    assert "osslsigncode cannot be run" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_osslsigncode_that_takes_too_long_is_ended_and_reported(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stub = tmp_path / "awstoe.exe", tmp_path / "osslsigncode"
    path.write_bytes(make_program())
    stub.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(osslsigncode, "_SECONDS", 0.1)
    assert main(["sign-program", "--directory", str(keys), str(path)]) == 1
    assert f"{stub} was ended: it did not finish within 0.1 seconds" in capsys.readouterr().err


@pytest.mark.parametrize(("at", "code"), [("yesterday", 1), (AT, 0)])
def test_time_of_signing_can_be_set(keys: Path, tmp_path: Path, at: str, code: int) -> None:
    paths = [tmp_path / "one.exe", tmp_path / "two.exe"]
    for path in paths:
        path.write_bytes(make_program())
        assert main(["sign-program", "--directory", str(keys), "--at", at, str(path)]) == code
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert (paths[0].read_bytes() != make_program()) is (code == 0)
