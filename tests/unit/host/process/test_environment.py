import os
import sys

import pytest

from awstoe.host.process.environment import child_environment


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", "/tmp/_MEI1", raising=False)


@pytest.mark.parametrize(
    "name",
    ["_PYI_APPLICATION_HOME_DIR", "_PYI_X", "_MEIPASS2", "PYINSTALLER_RESET_ENVIRONMENT"],
)
def test_variables_of_a_bootloader_are_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert name not in child_environment()


@pytest.mark.usefixtures("frozen")
def test_bundle_is_not_in_path_if_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/tmp/_MEI1:/bin:/tmp/_MEI1/lib::/tmp/_MEI12")
    assert child_environment()["PATH"] == "/bin::/tmp/_MEI12"


def test_environment_is_unchanged_if_not_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/mine")
    monkeypatch.setenv("ODD", os.fsdecode(b"\xff"))
    assert child_environment() == dict(os.environ)
