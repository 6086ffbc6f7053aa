"""A small world to release into: three regions on a real S3-speaking server, and keys."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe_release.rehearsal.client import S3Server
from fakes import made_once
from fakes.release_world import World, write_settings


@pytest.fixture(autouse=True, scope="module")
def credentials() -> Iterator[None]:
    """Set invalid credentials, and hide those of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a rehearsal's keys."""
    folder = tmp_path_factory.mktemp("keys") / "keys"
    shutil.copytree(made_once.release_keys(tmp_path_factory), folder)
    return str(folder)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The configuration files: the real ones, with three regions and two waves."""
    return write_settings(tmp_path / "configuration")


@pytest.fixture
def world(
    server: S3Server, settings: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> World:
    made = World(server, settings, tmp_path, lambda: request.getfixturevalue("keys"))
    server.reset(made.configuration())
    return made
