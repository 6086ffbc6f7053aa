"""One rehearsal's keys for all tests of a run: RSA keys with 4096 bits take long to make."""

import os
import shutil
import time
from pathlib import Path

import pytest

from awstoe_signing.keys import ceremony
from awstoe_signing.keys.directory import KeyDirectory

_SECONDS = 300


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a completed ceremony. No test may change it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # all processes of this run share it
    ready = base / "ceremony"
    try:
        (base / "ceremony-started").mkdir()
    except FileExistsError:
        end = time.monotonic() + _SECONDS
        while not ready.exists():
            assert time.monotonic() < end, "the process that makes the keys has failed"
            time.sleep(0.2)
        return ready
    keys = ceremony.prepare(str(base / "ceremony-making"))
    ceremony.complete(keys, now=int(time.time()), days=1095, say=lambda _: None)
    Path(keys.folder).rename(ready)
    return ready


@pytest.fixture
def keys(made_keys: Path, tmp_path: Path) -> KeyDirectory:
    """A copy of the keys that the test may change."""
    folder = tmp_path / "keys"
    shutil.copytree(made_keys, folder)
    return KeyDirectory(str(folder))
