"""Facts about a frozen process."""

import json
import os
import sys
from pathlib import Path

import pytest

from awstoe.host.executable import frozen


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a frozen program's bundle."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    return tmp_path


def test_a_source_tree_is_not_frozen_and_has_no_build_facts() -> None:
    assert not frozen.is_frozen()
    assert frozen.bundle_folder() is None
    assert frozen.build_facts() is None
    assert frozen.executable() == sys.executable


def test_the_build_facts_are_in_the_bundle(bundle: Path) -> None:
    (bundle / frozen.BUILD_FACTS).write_text(json.dumps({"commit": "c0ffee"}))
    assert frozen.is_frozen()
    assert frozen.bundle_folder() == str(bundle)
    assert frozen.build_facts() == {"commit": "c0ffee"}


@pytest.mark.usefixtures("bundle")
def test_a_bundle_without_facts_has_none() -> None:
    assert frozen.build_facts() is None


@pytest.mark.parametrize("text", ["[]", "{", "null"])
def test_damaged_facts_are_an_error(bundle: Path, text: str) -> None:
    (bundle / frozen.BUILD_FACTS).write_text(text)
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        frozen.build_facts()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_the_executable_is_the_file_behind_a_link(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bundle / "awstoe").touch()
    (bundle / "link").symlink_to("awstoe")
    monkeypatch.setattr(sys, "executable", str(bundle / "link"))
    assert frozen.executable() == os.path.realpath(bundle / "awstoe")


@pytest.mark.parametrize(
    ("name", "between_them"),
    [
        ("_PYI_ARCHIVE_FILE", True),
        ("_MEIPASS2", True),
        ("PYINSTALLER_RESET_ENVIRONMENT", True),
        ("PYTHONPATH", False),
        ("LD_LIBRARY_PATH", False),
        ("MY_PYI_", False),
    ],
)
def test_variables_of_the_bootloader_are_recognized(name: str, *, between_them: bool) -> None:
    assert frozen.is_bootloader_variable(name) is between_them
