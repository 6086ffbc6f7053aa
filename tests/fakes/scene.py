"""A publisher, its server, and an installed program: fixtures that are new for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.update.decide import TargetMachine
from fakes.installation import LINUX, Attempt, Installation
from fakes.release_server import ReleaseServer
from fakes.releases import Keys, Publisher, make_keys, shell_program


@pytest.fixture(scope="session")
def keys() -> Keys:
    return make_keys()


class Scene:
    """Version 1.0.0 is installed and published."""

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        server: ReleaseServer,
        *,
        old: bytes | None = None,
        machine: TargetMachine = LINUX,
    ) -> None:
        self.folder = folder
        self.keys = keys
        self.publisher = Publisher(server.folder, keys)
        self.server = server
        self.old = shell_program("1.0.0") if old is None else old
        self.publisher.add("1.0.0", self.old, target=(machine.platform, machine.architecture))
        trust = self.publisher.write_trust(folder / "trust", server.url + "{region}/")
        self.installation = Installation(folder, trust, self.old, machine=machine)
        self.before = self.installation.on_disk()

    def update(self, *options: str) -> Attempt:
        return self.installation.update(*options)

    def refused(self, *options: str, code: int = 5) -> str:
        """Try to update, check that it fails without changing a byte, and return the message."""
        attempt = self.update(*options)
        assert attempt.code == code, (attempt.stderr, attempt.result)
        assert attempt.result["exitCode"] == code
        assert attempt.stderr.startswith(("awstoe: ", "  hint"))
        assert self.installation.on_disk() == self.before
        assert self.installation.version_output() == f"awstoe {self.installation.version}"
        return attempt.stderr

    def updates_to(self, version: str, *options: str) -> Attempt:
        """Update, and check that it has happened."""
        attempt = self.update(*options)
        assert attempt.code == 0, attempt.stderr
        assert attempt.result["installed"] == version
        assert self.installation.version_output() == f"awstoe {version}"
        self.installation.version = version
        self.before = self.installation.on_disk()
        return attempt


@pytest.fixture
def scene(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("awstoe.limits.UPDATE_RETRY_SECONDS", 0.02)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ReleaseServer(tmp_path / "served") as server:
        yield Scene(tmp_path, keys, server)
