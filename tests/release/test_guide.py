"""The guide's commands to verify a download, exactly as written, with its addresses.

The server has a certificate for the guide's hosts, and the user's .curlrc sends requests for these
hosts to it. The commands themselves are not changed.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.trust import release_trust
from awstoe_release.rehearsal.client import S3Server
from awstoe_release.release import Release
from fakes.release_world import World

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not all(map(shutil.which, ("gpg", "curl", "openssl"))),
    reason="needs gpg, curl and openssl",
)

ADDRESS = "https://awstoe-{0}.s3.{0}.amazonaws.com/latest"
REGIONS = ("eu-north-1", "us-east-1", "ap-south-1")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[S3Server]:
    """A server with TLS and a self-signed certificate."""
    names = ",".join(f"DNS:awstoe-{each}.s3.{each}.amazonaws.com" for each in REGIONS)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", "tls.key", "-out", "tls.pem", "-days", "2", "-subj", "/CN=x"),
            *("-addext", f"subjectAltName={names}"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    with S3Server(certificate=str(tmp_path / "tls.pem"), key=str(tmp_path / "tls.key")) as running:
        yield running


class User:
    """A user with an empty home folder who follows the guide."""

    def __init__(self, folder: Path, port: int, certificate: Path) -> None:
        self.home = folder
        folder.mkdir(mode=0o700)
        (folder / ".curlrc").write_text(
            f'connect-to = "::127.0.0.1:{port}"\ncacert = "{certificate}"\nfail\nsilent\n'
        )

    def does(self, command: str) -> str:
        """Run a command of the guide. Return its output and exit code."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C"}
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return f"{ended.stdout}{ended.stderr}(exit code {ended.returncode})"


@pytest.fixture
def user(secure: S3Server, tmp_path: Path) -> Iterator[User]:
    made = User(tmp_path / "home", secure.tls_port, tmp_path / "tls.pem")
    yield made
    made.does("gpgconf --kill all")  # gpg leaves an agent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("region", "architecture"), [("us-east-1", "386"), ("eu-north-1", "amd64")]
)
def test_the_procedure_of_the_guide_works(
    user: User,
    secure: S3Server,
    settings: Path,
    tmp_path: Path,
    keys: str,
    region: str,
    architecture: str,
) -> None:
    world = World(secure, settings, tmp_path, lambda: keys)
    secure.reset(world.configuration())
    assert world.run(world.release("1.0.0"), until="promote") == set()
    address = ADDRESS.format(region)

    assert user.does(f"curl -O {address}/assets/awstoe.gpg") == "(exit code 0)"
    imported = user.does("gpg --import awstoe.gpg")
    assert imported.endswith("(exit code 0)"), imported
    trust = release_trust.read(f"{keys}/trust")
    assert trust
    (current,) = (name for name, state in trust.openpgp.items() if state == "current")
    assert f"key {current[-16:]}: public key" in imported
    output = user.does(f"gpg --fingerprint {current[-16:]}")
    (fingerprint,) = re.findall(r"((?:[0-9A-F]{4} +){9}[0-9A-F]{4})", output)
    assert fingerprint.replace(" ", "") == current

    assert user.does(f"curl -O {address}/linux/{architecture}/awstoe") == "(exit code 0)"
    assert user.does(f"curl -O {address}/linux/{architecture}/awstoe.sig") == "(exit code 0)"
    verified = user.does("gpg --verify ./awstoe.sig ./awstoe")
    assert 'Good signature from "AWSTOE' in verified
    assert verified.endswith("(exit code 0)")

    with (user.home / "awstoe").open("r+b") as stream:
        stream.write(b"#?")
    altered = user.does("gpg --verify ./awstoe.sig ./awstoe")
    assert "BAD signature" in altered
    assert altered.endswith("(exit code 1)")


def test_the_key_is_at_both_places_of_the_guide(world: World) -> None:
    release: Release = world.release("1.0.0")
    world.run(release, until="promote")
    for key in ("latest/assets/awstoe.gpg", "assets/awstoe.gpg"):
        data = world.bucket("us-east-1").get(key, 1 << 20)
        assert data == Path(release.trust, "awstoe.gpg").read_bytes()
