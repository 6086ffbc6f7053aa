"""Private keys in files, and where their passphrases come from."""

import base64
import errno
import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import files, passphrases

PASSPHRASE = b"correct horse battery"
CURVE = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    files.write(str(path), CURVE, PASSPHRASE)
    return path


def test_a_key_can_be_read_with_its_passphrase(file: Path) -> None:
    key = files.read(str(file), PASSPHRASE)
    assert key.public_key == CURVE.public_key()
    assert key.name == str(file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_the_owner_can_read_a_key_file(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


# The tests of this process write files that are quick to open (fakes/made_once.py).
WRITER = f"""
import sys
from cryptography.hazmat.primitives.asymmetric import ec
from awstoe_signing.keys import files
files.write(sys.argv[1], ec.generate_private_key(ec.SECP256R1()), {PASSPHRASE!r})
"""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_passphrase_is_slow_to_guess_and_openssl_reads_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", WRITER, str(file)], env=environment, check=True)
    body = b"".join(file.read_bytes().splitlines()[1:-1])
    cost_blocks_rounds = bytes.fromhex("02024000 020108 02010a")  # 16384, 8 and 10, in DER
    assert cost_blocks_rounds in base64.b64decode(body)
    command = ["openssl", "pkey", "-in", str(file), "-passin", "env:P", "-noout", "-text"]
    environment = {**os.environ, "P": PASSPHRASE.decode()}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert b"prime256v1" in done.stdout


def test_each_file_is_encrypted_with_its_own_salt(file: Path, tmp_path: Path) -> None:
    files.write(str(tmp_path / "again.pem"), CURVE, PASSPHRASE)
    assert (tmp_path / "again.pem").read_bytes() != file.read_bytes()


def test_a_key_is_never_overwritten(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(SigningFailure, match="exists already: a key is never overwritten"):
        files.write(str(file), CURVE, PASSPHRASE)
    assert file.read_bytes() == before


def test_a_file_without_a_usable_key_is_rejected(file: Path, tmp_path: Path) -> None:
    def refused(data: bytes, message: str) -> None:
        path = tmp_path / "other.pem"
        path.write_bytes(data)
        with pytest.raises(SigningFailure, match=message):
            files.read(str(path), PASSPHRASE)

    text = file.read_bytes()
    refused(text[:100], "passphrase is wrong, or it is not")
    refused(b"", "passphrase is wrong, or it is not")
    refused(text + b"\n" * 70_000, "larger than 64 KiB")
    refused(pem(CURVE, serialization.NoEncryption()), "is not encrypted")
    encryption = serialization.BestAvailableEncryption(PASSPHRASE)
    refused(pem(ed25519.Ed25519PrivateKey.generate(), encryption), "no RSA or elliptic-curve key")
    with pytest.raises(SigningFailure, match="passphrase is wrong"):
        files.read(str(file), b"another passphrase")
    with pytest.raises(SigningFailure, match="No such file"):
        files.read(str(tmp_path / "none.pem"), PASSPHRASE)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    encryption: serialization.KeySerializationEncryption,
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def test_a_passphrase_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passphrases.VARIABLE, PASSPHRASE.decode())
    assert passphrases.existing("the key") == PASSPHRASE
    assert passphrases.new("the key") == PASSPHRASE


def test_a_passphrase_is_the_first_line_of_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(PASSPHRASE + b"\r\nnotes\n")
    path.chmod(0o600)
    monkeypatch.setenv(passphrases.FILE_VARIABLE, str(path))
    assert passphrases.existing("the key") == PASSPHRASE


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"", 0o600, "expected one line"),
        (b"\nsecond line\n", 0o600, "expected one line"),
        (b"x" * 5000, 0o600, "expected one line"),
        pytest.param(
            PASSPHRASE,
            0o644,
            "can be read by other users",
            marks=pytest.mark.skipif(
                sys.platform == "win32", reason="Windows has other permissions"
            ),
        ),
        (None, 0, "No such file"),
    ],
)
def test_a_file_without_a_secret_is_rejected(
    content: bytes | None,
    mode: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    monkeypatch.setenv(passphrases.FILE_VARIABLE, str(path))
    with pytest.raises(SigningFailure, match=message):
        passphrases.existing("the key")


def test_an_empty_line_at_the_prompt_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda _: "")
    with pytest.raises(SigningFailure, match="no passphrase for the key was typed"):
        passphrases.existing("the key")


def test_an_incomplete_key_file_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SigningFailure, match="No space left"):
        files.write(str(tmp_path / "new.pem"), CURVE, PASSPHRASE)
    assert not (tmp_path / "new.pem").exists()


def test_different_short_and_missing_passphrases_are_rejected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SigningFailure, match="no terminal for a prompt"):
        passphrases.existing("the key")
    monkeypatch.setenv(passphrases.VARIABLE, "short")
    with pytest.raises(SigningFailure, match="has 5 bytes; expected 12 or more"):
        passphrases.new("the key")
    monkeypatch.setenv(passphrases.FILE_VARIABLE, str(tmp_path))
    with pytest.raises(SigningFailure, match="both set"):
        passphrases.existing("the key")
