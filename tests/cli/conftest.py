"""Fixtures of the black-box tests of ``awstoe run``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import Toe

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # their steps are bash scripts


@pytest.fixture
def toe(tmp_path: Path) -> Iterator[Toe]:
    program = Toe(tmp_path)
    yield program
    program.clean_up()
