"""A program that the kernel ended for lack of memory, in a control group with little of it."""

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cli.running import Toe, bash, wait_until

ROOT = Path("/sys/fs/cgroup")
LIMIT_BYTES = 150 * 1024 * 1024


def removed(folder: Path) -> bool:
    """Whether a control group is gone: the kernel may still be removing its ended processes."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group with a memory limit, of version 1 or 2."""
    for parent, limit in ((ROOT / "memory", "memory.limit_in_bytes"), (ROOT, "memory.max")):
        folder = parent / f"awstoe-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / limit).write_text(str(LIMIT_BYTES))
        except OSError:
            folder.rmdir()
            continue
        yield folder
        wait_until(partial(removed, folder))
        return
    pytest.skip("no control group with a memory limit can be made here")


@pytest.mark.parametrize("script", ["exec {}", "{}"])
def test_the_message_says_that_memory_was_short(toe: Toe, group: Path, script: str) -> None:
    join = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    eat = script.format("python3 -c 'block = bytearray(2 * 10**9)'")
    document = toe.document(bash("Eat", eat))
    ended = toe.run("-d", document, before=("bash", "-c", join, "bash"))
    (failure,) = ended.summary["failures"]
    if failure["exitCode"] != 137:  # the kernel refused the memory instead
        pytest.skip("this kernel does not promise more memory than it has")
    assert "ended a process for lack of memory during this run" in failure["message"]
