"""The command behind ``make toolchain``, ``build`` and ``verify-build``: what it refuses."""

from pathlib import Path

import pytest

from awstoe_build.__main__ import main


def test_an_unknown_target_ends_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--target=linux/mips"]) == 1
    assert capsys.readouterr().err.startswith("build: unknown target 'linux/mips'\n")


def test_without_the_packages_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWSTOE_BUILD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("awstoe_build.prerequisites._is_there", lambda _: False)
    assert main(["toolchain"]) == 1
    assert "apt-get install" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()
