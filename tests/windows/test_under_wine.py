"""Runs this folder's other tests in Wine.

That takes minutes: it is part of ``make conformance TARGET=windows/amd64``, not of `make test`.
"""

import os
import sys
from pathlib import Path

import pytest

from fakes import wine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AWSTOE_SUBJECT") != "windows/amd64",
        reason="part of make conformance TARGET=windows/amd64",
    ),
    pytest.mark.skipif(bool(wine.missing()), reason=wine.missing()),
]

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent


def test_the_tests_for_windows_pass(tmp_path_factory: pytest.TempPathFactory) -> None:
    packages = [str(ROOT / each) for each in ("src", "build", "release", "signing")]
    packages += [each for each in sys.path if each.endswith("site-packages")]
    with wine.machine(tmp_path_factory.mktemp("windows"), packages) as machine:
        ended = machine.run(
            machine.python,
            *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
            wine.path(HERE),
            folder=ROOT,
            # This machine's plug-ins may not work in Wine.
            environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            seconds=1200,
        )
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode(errors="replace")
    assert b" passed" in ended.stdout
