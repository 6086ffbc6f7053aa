"""A rehearsal's keys for the tests of signing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe_signing.keys.directory import KeyDirectory
from fakes import made_once


@pytest.fixture(autouse=True, scope="session")
def quick_key_files() -> Iterator[None]:
    """Key files that the tests write themselves take no time to open."""
    with made_once.quick_key_files():
        yield


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished key ceremony. No test changes it."""
    return made_once.release_keys(tmp_path_factory)


@pytest.fixture
def keys(made_keys: Path, tmp_path: Path) -> KeyDirectory:
    """A copy that the test may change."""
    folder = tmp_path / "keys"
    shutil.copytree(made_keys, folder)
    return KeyDirectory(str(folder))
