"""Shared by all tests: the option that rewrites golden files, and signals as in a terminal."""

import os
import signal
import sys
from pathlib import Path
from typing import Protocol

import pytest

try:
    from hypothesis import settings
except ModuleNotFoundError:
    # The tests under Wine use this machine's packages, whose native modules Wine cannot load.
    if sys.platform != "win32":
        raise
else:
    # Every run tries the same examples, so a failure can be repeated, and slow machines cause none.
    # `pytest --hypothesis-profile explore` tries new ones.
    settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
    settings.register_profile("explore", deadline=None)
    settings.load_profile("repeatable")

# nohup and a shell's "&" start tests with these signals ignored. The programs that the tests start
# would inherit that, and a program has to keep ignoring a signal that was ignored at its start.
for each in (
    getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGQUIT") if hasattr(signal, name)
):
    if signal.getsignal(each) is signal.SIG_IGN:
        signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int | None:
    """Return the number of workers for ``-n auto``: one more than there are cores.

    Many tests wait: for time limits, for servers, for programs that they have started.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return cores + 1


class Golden(Protocol):
    """Compares a text with a golden file."""

    def __call__(self, path: Path, text: str) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files instead of comparing with them",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return a function that compares a text with a golden file, or writes the file."""
    update: bool = request.config.getoption("--update-golden")

    def check(path: Path, text: str) -> None:
        if update:
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing: run pytest with --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return check
