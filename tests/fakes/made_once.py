"""Creates slow test data once for a whole test run, in the worker that needs it first."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from awstoe.host.files import locks
from awstoe_signing.keys import ceremony

KEY_DAYS = 1095
_POLL_SECONDS = 0.1


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` has filled. No test may change it.

    Args:
        factory: pytest's temporary folders.
        name: Identifies the folder in this test run.
        make: Called by one worker, with the path to create. If it fails, or its worker is killed,
            the next worker calls it again.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    ready = shared / name
    while (lock := locks.acquire(str(shared / f"{name}.lock"))) is None:
        time.sleep(_POLL_SECONDS)
    try:
        if not ready.exists():
            unfinished = shared / f"{name}.unfinished"
            make(unfinished)
            unfinished.rename(ready)
    finally:
        os.close(lock)
    return ready


@contextmanager
def quick_key_files() -> Iterator[None]:
    """Write key files that take no time to open; the cost of a guess is stored in the file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("awstoe_signing.keys.files._SCRYPT_COST", 1024)
        patch.setattr("awstoe_signing.keys.files._SCRYPT_ROUNDS", 1)
        yield


def release_keys(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished key ceremony. No test may change it."""

    def make(folder: Path) -> None:
        with quick_key_files():
            keys = ceremony.prepare(str(folder))
            ceremony.complete(keys, now=int(time.time()), days=KEY_DAYS, say=lambda _: None)

    return made_once(factory, "release-keys", make)
