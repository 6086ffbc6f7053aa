"""gpg, Sequoia and ``awstoe verify-signature`` agree about every executable below dist/."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe import __version__
from awstoe.cli.verify_signature import Subject, verify
from awstoe.reporting.console import Console
from awstoe.trust import release_trust
from awstoe_signing.__main__ import main as signing_command
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory, Purpose
from fakes import made_once
from fakes.gnupg import GPG, SQ, gpg, sq

ROOT = Path(__file__).parents[2]
BUILT = sorted(
    path
    for path in (ROOT / "dist" / __version__).glob("*/*/awstoe*")
    if path.name in {"awstoe", "awstoe.exe"}  # neither signatures nor unfinished copies
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BUILT, reason=f"dist/{__version__} has no executables: run make build"),
    pytest.mark.skipif(GPG is None, reason="gpg is not installed"),
    pytest.mark.skipif(SQ is None, reason="sq is not installed"),
]


class Opinions(NamedTuple):
    """Which programs accept a file with a signature."""

    gpg: bool
    sequoia: bool
    awstoe: bool


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyDirectory:
    """Throw-away keys of a rehearsal."""
    folder = tmp_path_factory.mktemp("keys") / "keys"
    shutil.copytree(made_once.release_keys(tmp_path_factory), folder)
    return KeyDirectory(str(folder))


def opinions(file: Path, keys: KeyDirectory) -> Opinions:
    signature = file.with_name(file.name + ".sig")
    published = Path(keys.path("trust", release_trust.KEYRING))
    current = keys.path("public", f"{keys.only(Purpose.OPENPGP).name}.asc")
    with gpg() as program:
        program.take(published.read_bytes())
        accepted = program.accepts(signature, file)
    sequoia = sq(["verify", "--signer-cert", current, "--detached", signature, file])
    ended = subprocess.run(
        [sys.executable, "-m", "awstoe", "verify-signature", file, "--key", published],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stderr.decode()
    return Opinions(accepted, sequoia.returncode == 0, ended.returncode == 0)


@pytest.mark.parametrize("built", BUILT, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_all_three_accept_the_signed_file_and_reject_an_altered_one(
    built: Path, keys: KeyDirectory, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / built.name
    shutil.copyfile(built, file)
    where = ("--directory", keys.folder)
    if file.suffix == ".exe":
        assert signing_command(["sign-program", *where, str(file)]) == 0
    assert signing_command(["sign", *where, str(file)]) == 0
    assert opinions(file, keys) == Opinions(gpg=True, sequoia=True, awstoe=True)

    capfd.readouterr()
    trusting = Subject(None, release_trust.read(keys.path("trust")))
    assert verify([str(file)], Console(), trusting) == 0
    report = json.loads(capfd.readouterr().out)
    signer = lifecycle.certificate(keys, keys.only(Purpose.OPENPGP)).public.fingerprint
    assert report["keyFingerprint"] == signer
    assert (report["authenticode"] or {}).get("verdict") == ("good" if file.suffix else None)

    data = bytearray(file.read_bytes())
    for place in (0, len(data) // 2, len(data) - 1):
        data[place] ^= 1
        file.write_bytes(data)
        assert opinions(file, keys) == Opinions(gpg=False, sequoia=False, awstoe=False)
        data[place] ^= 1
    file.write_bytes(data + b"\0")
    assert opinions(file, keys) == Opinions(gpg=False, sequoia=False, awstoe=False)
