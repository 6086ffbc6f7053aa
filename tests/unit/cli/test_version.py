"""``awstoe version``: facts from the build if there is one, null for unknown facts elsewhere."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from awstoe import __version__
from awstoe.cli import version
from awstoe.errors import UsageError
from awstoe.host.executable import frozen
from awstoe.reporting.console import Console

KEYS = [
    *("version", "commit", "buildDate", "target", "python", "openssl", "glibcFloor"),
    *("executable", "packages"),
]
BUILT: Mapping[str, object] = {
    "version": __version__,
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "date": "2026-11-22T18:00:00Z",
    "target": "linux/386",
    "python": "3.13.5",
    "openssl": "3.5.7",
    "glibc_floor": "2.17",
    "packages": [
        {"name": "OpenSSL", "version": "3.5.7", "license": "Apache-2.0"},
        {"name": "odd", "version": "1", "license": None},
    ],
}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    (tmp_path / frozen.BUILD_FACTS).write_text(json.dumps(BUILT))
    return tmp_path


def test_a_source_tree_reports_installed_packages_and_no_commit() -> None:
    facts = version.facts()
    assert list(facts) == KEYS
    assert facts["version"] == __version__
    assert (facts["commit"], facts["buildDate"], facts["glibcFloor"]) == (None, None, None)
    packages = facts["packages"]
    assert isinstance(packages, list)
    licenses = {each["name"].lower(): each["license"] for each in packages}
    # From the expression, from the field, from the classifier, and an indirect dependency.
    assert licenses["cryptography"] == "Apache-2.0 OR BSD-3-Clause"
    assert licenses["requests"].startswith("Apache")
    assert licenses["markdown-it-py"] == "MIT License"
    assert "botocore" in licenses
    assert "awstoe" not in licenses
    assert not {"pytest", "mypy", "moto"} & set(licenses)


@pytest.mark.usefixtures("bundle")
def test_a_single_file_executable_reports_what_its_build_wrote() -> None:
    facts = version.facts()
    assert list(facts) == KEYS
    expected = {name: value for name, value in BUILT.items() if name not in ("date", "glibc_floor")}
    del expected["python"]  # the interpreter reports its own version
    assert {name: facts[name] for name in expected} == expected
    assert (facts["buildDate"], facts["glibcFloor"]) == ("2026-11-22T18:00:00Z", "2.17")


@pytest.mark.usefixtures("bundle")
def test_text_has_one_line_per_fact(capfd: pytest.CaptureFixture[str]) -> None:
    assert version.run([], Console()) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(KEYS)]] == KEYS
    assert lines[1] == "commit      0123456789abcdef0123456789abcdef01234567"
    assert lines[-2:] == ["  OpenSSL 3.5.7 (Apache-2.0)", "  odd 1 (license not stated)"]


def test_an_unknown_fact_is_a_dash_in_the_text() -> None:
    assert "commit      -\n" in version.as_text(version.facts())


def test_json_is_one_object(capfd: pytest.CaptureFixture[str]) -> None:
    assert version.run(["--json"], Console()) == 0
    assert list(json.loads(capfd.readouterr().out)) == KEYS


def test_an_unknown_option_is_rejected() -> None:
    with pytest.raises(UsageError, match="unknown option --frobnicate"):
        version.run(["--frobnicate"], Console())
