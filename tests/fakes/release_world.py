"""A small world to release into: regions at a real S3 server, and stand-in programs."""

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from awstoe.errors import AwstoeError
from awstoe_release import configuration, pipeline
from awstoe_release.configuration import FOLDER, Configuration
from awstoe_release.publishing import Publisher
from awstoe_release.rehearsal.server import ACCOUNT
from awstoe_release.release import REPOSITORY, Release
from awstoe_release.s3 import Bucket
from awstoe_release.state import State
from fakes import standin_program

LIST_OF_REGIONS = "../src/awstoe/update/regions.toml"
"""In release.toml."""
TARGETS = ("linux/amd64", "linux/386")
WITHOUT = dict.fromkeys(("inspect", "conformance"), "these programs are stand-ins")


_REGIONS = """
[partitions]
aws = "amazonaws.com"
[regions]
eu-north-1 = "aws"
us-east-1 = "aws"
ap-south-1 = "aws"
"""
_WAVES = """
[[wave]]
name = "canary"
regions = ["eu-north-1"]
wait_seconds = 0
[[wave]]
name = "all"
regions = ["*"]
wait_seconds = 0
"""


def write_settings(folder: Path) -> Path:
    """Write configuration files: the real ones, with three regions and two waves."""
    folder.mkdir()
    head, _, _ = (Path(FOLDER) / "release.toml").read_text().partition("[[wave]]")
    assert LIST_OF_REGIONS in head
    head = head.replace(LIST_OF_REGIONS, "regions.toml")
    (folder / "release.toml").write_text(head + _WAVES)
    (folder / "regions.toml").write_text(_REGIONS)
    return folder


class Server(Protocol):
    """An S3-speaking server."""

    @property
    def endpoint(self) -> str: ...


class World:
    """What a test releases into and inspects."""

    def __init__(
        self, server: Server, settings: Path, folder: Path, keys: Callable[[], str]
    ) -> None:
        self.server, self.settings, self.folder = server, settings, folder
        self._keys = keys
        self.log_lines: list[str] = []
        config = self.configuration()
        self._publisher = Publisher(config.publish, version="")
        self._regions = config.region

    @property
    def keys(self) -> str:
        """The folder of keys, made on first use: that takes seconds."""
        return self._keys()

    def configuration(self, *overrides: str) -> Configuration:
        endpoint = self.server.endpoint
        return configuration.load(
            folder=str(self.settings),
            environment={},
            overrides=[
                f"publish.endpoint={endpoint}",
                f"publish.account={ACCOUNT}",
                f"publish.url={endpoint}/{{bucket}}/{{key}}",
                "publish.attempts=4",
                *overrides,
            ],
        )

    def release(
        self,
        version: str = "1.0.0",
        *overrides: str,
        salt: str = "",
        older: str = "",
        commit: str = "c" * 40,
    ) -> Release:
        """Return a release of stand-in programs. The same release again continues the last one."""
        config = self.configuration(*overrides)
        files = standin_program.write(
            self.folder / f"files-{version}{salt}", version, TARGETS, f"{self.keys}/trust", salt
        )
        sources = self.sources(version)
        place = str(self.folder / f"release-{version}")
        return Release(
            configuration=config,
            version=version,
            commit=commit,
            epoch=1_700_000_000,
            channel_name="stable",
            targets=TARGETS,
            folder=place,
            keys=self.keys,
            state=State.open(place, version=version, commit=commit),
            publisher=Publisher(config.publish, version=version),
            log=self.log_lines.append,
            sources=str(sources),
            files=str(files),
            older=older,
            rehearsal=True,
        )

    def sources(self, version: str) -> Path:
        """Return a source tree that has a version."""
        folder = self.folder / f"sources-{version}"
        if not folder.exists():
            (folder / "src/awstoe").mkdir(parents=True)
            (folder / "changelog.d").mkdir()
            (folder / "src/awstoe/__init__.py").write_text(f'__version__ = "{version}"\n')
            (folder / "CHANGELOG.md").write_text("# Changelog\n\nAll of it.\n")
            (folder / "changelog.d/7.added.md").write_text(f"What is new in\n{version}.\n")
            lock = Path(REPOSITORY, "requirements.lock").read_text()
            (folder / "requirements.lock").write_text(lock)
        return folder

    def run(self, release: Release, *, begin: str = "", until: str = "") -> set[str]:
        """Run the pipeline. Return the regions that failed."""
        failed = pipeline.run(release, release.state, begin=begin, until=until, without=WITHOUT)
        return set(failed)

    def bucket(self, region: str) -> Bucket:
        """Return a region's bucket."""
        return self._publisher.bucket(self._regions(region))

    def has(self, region: str, key: str) -> bool:
        return self.bucket(region).head(key) is not None

    def version_at(self, region: str, key: str = "latest/linux/amd64/awstoe") -> str:
        """Return the version that a pointer has; empty if it does not exist."""
        head = self.bucket(region).head(key)
        return head.metadata["version"] if head else ""

    def text(self) -> str:
        return "\n".join(self.log_lines)


class _Elsewhere(NamedTuple):
    """A server that another process started."""

    endpoint: str


def main() -> None:
    """``python -m fakes.release_world``: run a release in its own process, to be killed.

    Arguments: settings, folder, keys, endpoint, version, the step to kill the process at (or
    empty), and the largest size of a file in bytes (or 0).
    """
    settings, folder, keys, endpoint, version, killed_at, limit = sys.argv[1:]
    world = World(_Elsewhere(endpoint), Path(settings), Path(folder), lambda: keys)
    release = world.release(version)
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))

    def log(text: str) -> None:
        if killed_at and text == f"{killed_at}:":
            os.kill(os.getpid(), signal.SIGKILL)

    release = release._replace(log=log)
    try:
        world.run(release)
    except AwstoeError as failure:
        sys.exit(f"{failure.message}\n{failure.hint}")


if __name__ == "__main__":
    main()
