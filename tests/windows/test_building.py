"""The parts of the build that run on Windows."""

import sys
from pathlib import Path

import pytest

from awstoe_build import commands
from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain import layers
from awstoe_build.toolchain.layers import Cache, LayerBuild, Recipe

assert sys.platform == "win32"


def test_a_program_runs_to_its_end_and_its_output_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands.run(
        ["cmd.exe", "/d", "/c", "echo done"],
        folder=str(tmp_path),
        environment=commands.clean_environment(),
        log=str(log),
    )
    assert log.read_text().splitlines()[-1].strip() == "done"
    with pytest.raises(BuildFailure, match="failed with exit code 3"):
        commands.run(
            ["cmd.exe", "/d", "/c", "exit 3"],
            folder=str(tmp_path),
            environment=commands.clean_environment(),
            log=str(log),
        )


def test_programs_find_only_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "C:\\elsewhere")
    monkeypatch.setenv("SECRET", "x")
    given = commands.clean_environment(["C:\\tools"])
    assert given["PATH"].lower() == "c:\\tools;c:\\windows\\system32;c:\\windows"
    assert "SECRET" not in given


def test_a_layer_is_built_once_and_found_again(tmp_path: Path) -> None:
    built = []

    def build(build_folder: LayerBuild) -> None:
        built.append(build_folder.content)
        Path(build_folder.content, "deeper").mkdir()
        Path(build_folder.content, "deeper", "file").write_text("x")

    recipe = Recipe("layer", layers, {}, (), build)
    for _ in range(2):
        content = Cache(str(tmp_path / "cache"), lambda _: None).obtain(recipe)
        assert Path(content, "deeper", "file").read_text() == "x"
    assert len(built) == 1
