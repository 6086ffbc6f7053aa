"""What all tests share: the option that rewrites golden files, and signals as in a terminal."""

import signal
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

# Every run tries the same examples, so a failure can be repeated, and slow machines cause none.
# `pytest --hypothesis-profile explore` tries new ones.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")

# Tests that nohup or a shell's "&" has started ignore these, and so would the programs they start:
# a program that ignores a signal from its start has to go on ignoring it.
for each in (
    getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGQUIT") if hasattr(signal, name)
):
    if signal.getsignal(each) is signal.SIG_IGN:
        signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)


class Golden(Protocol):
    """Compares text with a golden file."""

    def __call__(self, path: Path, text: str) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the tests produce into the golden files instead of comparing it",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Asserts that a golden file holds a text, or writes the file with ``--update-golden``."""
    update: bool = request.config.getoption("--update-golden")

    def check(path: Path, text: str) -> None:
        if update:
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing: run pytest with --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return check
