"""The real single-file executable for Windows: it is signed, verified, and still runs."""

import hashlib
from pathlib import Path

import pytest

from awstoe import __version__
from awstoe.trust.authenticode import verify as trust
from awstoe_signing.authenticode import sign as authenticode
from fakes import wine
from fakes.certificates import NOW, world
from fakes.signed_programs import DESCRIPTION, honest_stamps

FROZEN = Path(__file__).parents[3] / "dist" / __version__ / "windows" / "amd64" / "awstoe.exe"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FROZEN.exists(), reason=f"{FROZEN} has not been built"),
]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signed") / "awstoe.exe"
    authenticode.sign(
        str(FROZEN),
        str(path),
        identity=authenticode.SigningIdentity(world().publisher.signer, world().chain),
        description=DESCRIPTION,
        at=NOW,
        authority=honest_stamps(),
    )
    return path


def test_the_signed_executable_is_good(signed: Path) -> None:
    verdict = trust.verify(
        str(signed),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate],
        now=NOW,
    )
    assert (verdict.reason, verdict.signed_at) == (None, NOW)


def test_the_signed_executable_still_runs(
    signed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if reason := wine.missing():
        pytest.skip(reason)
    before = hashlib.sha256(signed.read_bytes()).digest()
    with wine.machine(tmp_path_factory.mktemp("windows")) as machine:
        ended = machine.run(wine.path(signed), "--version", seconds=120)
        again = machine.run(wine.path(FROZEN), "--version", seconds=120)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert __version__ in ended.stdout.decode()
    assert ended.stdout == again.stdout
    assert hashlib.sha256(signed.read_bytes()).digest() == before
