"""The awstoe-build command: the errors it reports before it builds anything."""

from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe_build.__main__ import main


def test_an_unknown_target_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--target=linux/mips"]) == 1
    assert capsys.readouterr().err.startswith("awstoe-build: unknown target 'linux/mips'\n  hint: ")


def test_nothing_starts_without_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWSTOE_BUILD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("awstoe_build.prerequisites._is_installed", lambda _: False)
    assert main(["toolchain"]) == 1
    assert "apt-get install" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HostError("disk full", hint="free some space"), "disk full\n  hint: free some space"),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied"),
    ],
)
def test_errors_of_the_machine_are_reported_without_a_traceback(
    error: Exception,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("awstoe_build.prerequisites.check", fail)
    assert main(["toolchain"]) == 1
    assert capsys.readouterr().err == f"awstoe-build: {message}\n"


def test_a_file_outside_a_targets_folder_needs_a_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", f"--file={tmp_path / 'awstoe'}"]) == 1
    errors = capsys.readouterr().err
    assert "is not in a folder named after its target" in errors
    assert "TARGET=linux/amd64" in errors
