"""Builds on Windows: recipes and errors, as far as they can be tested on Linux."""

import importlib.util
import os
import platform
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from awstoe_build import prerequisites, targets
from awstoe_build.__main__ import main
from awstoe_build.failure import BuildFailure
from awstoe_build.interpreters import native as interpreter_native
from awstoe_build.interpreters import pick
from awstoe_build.interpreters import windows as interpreter_windows
from awstoe_build.toolchain import layers, registry
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import bootloader as windows_bootloader
from awstoe_build.toolchain.windows import compiler as windows_compiler
from awstoe_build.toolchain.windows import installation as windows_installation
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import site as windows_site
from awstoe_build.toolchain.windows import sources as windows_sources
from awstoe_build.toolchain.windows.installation import Installation

TARGET: Final = targets.TARGETS["windows/amd64"]


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation with all files, and some that were installed later."""
    folder = tmp_path / "Python313"
    extensions = [f"DLLs/{name}" for name in windows_runtime.EXTENSIONS]
    for name in (
        *("python.exe", "python3.dll", *windows_runtime.BESIDE_INTERPRETER, *extensions),
        *("DLLs/_wmi.pyd", "DLLs/tcl86t.dll", "Lib/os.py", "Lib/json/decoder.py"),
        *("Lib/tkinter/ttk.py", "Lib/site-packages/numpy.py", "Lib/__pycache__/os.pyc"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return Installation(str(folder), "cpython", "3.13.9", "win-amd64", free_threaded=False)


def files(folder: str) -> set[str]:
    return {
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, _, names in os.walk(folder)
        for name in names
    }


def test_python_and_its_standard_library_are_copied_without_installed_packages(
    installation: Installation, tmp_path: Path
) -> None:
    recipe = windows_installation.recipe(installation)
    made = Cache(str(tmp_path / "cache"), lambda _: None).obtain(recipe)
    assert files(made) == {
        *("python.exe", "python3.dll", *windows_runtime.BESIDE_INTERPRETER),
        *(f"DLLs/{name}" for name in windows_runtime.EXTENSIONS),
        *("Lib/os.py", "Lib/json/decoder.py"),
    }
    assert Path(windows_runtime.program(made)).read_text() == "python.exe"


def test_another_release_of_python_results_in_another_key(installation: Installation) -> None:
    before = layers.key(windows_installation.recipe(installation))
    Path(installation.folder, windows_runtime.LIBRARY).write_text("another")
    library = layers.key(windows_installation.recipe(installation))
    version = layers.key(windows_installation.recipe(installation._replace(version="3.13.10")))
    assert len({before, library, version}) == 3


@pytest.mark.parametrize(
    ("changed", "description"),
    [
        ({"version": "3.12.7"}, "cpython 3.12.7 for win-amd64"),
        ({"version": "3.14.0"}, "cpython 3.14.0 for win-amd64"),
        ({"platform": "win32"}, "cpython 3.13.9 for win32"),
        ({"platform": "win-arm64"}, "cpython 3.13.9 for win-arm64"),
        ({"implementation": "pypy"}, "pypy 3.13.9 for win-amd64"),
        ({"free_threaded": True}, "cpython 3.13.9 for win-amd64, free-threaded"),
    ],
)
def test_another_python_is_rejected_and_described(
    installation: Installation, changed: dict[str, str | bool], description: str
) -> None:
    given = Installation(**{**installation._asdict(), **changed})
    with pytest.raises(BuildFailure, match=r"expected cpython 3\.13 for win-amd64") as failure:
        windows_installation.recipe(given)
    assert f"running under {description};" in failure.value.message
    assert "python.org" in failure.value.hint


@pytest.mark.parametrize("name", ["python313.dll", "DLLs/_ssl.pyd", "Lib/os.py"])
def test_a_file_missing_in_the_installation_is_named(installation: Installation, name: str) -> None:
    os.remove(os.path.join(installation.folder, name))
    with pytest.raises(BuildFailure, match=re.escape(f"does not have {name}")):
        windows_installation.recipe(installation)


def test_the_sources_are_pinned_by_the_lock_of_all_sources() -> None:
    chosen = windows_sources.lock()
    assert re.findall(r"^([a-z]+)==", chosen, re.MULTILINE) == ["deflate", "pyinstaller"]
    assert chosen.count("--hash=sha256:") == 2
    entries = chosen.replace("pyinstaller==", "\0pyinstaller==").split("\0")
    assert all(entry in registry.read_lock("sources") for entry in entries)


def test_the_compiler_is_the_same_release_on_both_systems() -> None:
    on_linux, on_windows = (registry.read_lock(name) for name in ("zig", "zig-windows"))
    version = re.compile(r"^ziglang==\S+", re.MULTILINE)
    assert version.findall(on_linux) == version.findall(on_windows) != []
    assert on_linux != on_windows


def test_the_bootloader_is_compiled_without_a_shell(tmp_path: Path) -> None:
    compiler = windows_compiler.on_windows()
    build = layers.LayerBuild(
        content=str(tmp_path), scratch=str(tmp_path / "b"), needs={"zig": "zig"}, report=print
    )
    command, environment = compiler.prepare(build, TARGET)
    assert command[:4] == (os.path.join("zig", "ziglang", "zig.exe"), "cc", "-target", TARGET.zig)
    assert environment["ZIG_LOCAL_CACHE_DIR"].startswith(str(tmp_path))
    assert not any(tmp_path.iterdir())


def test_the_layers_on_windows_need_nothing_from_linux() -> None:
    site = windows_site.recipe(TARGET, windows_compiler.on_windows())
    recipes = {site.name: site}
    waiting = [site]
    while waiting:
        for need in waiting.pop().needs:
            recipes[need.name] = need
            waiting.append(need)
    assert sorted(recipes) == [
        *(windows_bootloader.NAME, windows_site.NAME),
        *("source-python-packages", "tools", "zig"),
    ]
    assert recipes["source-python-packages"].module is windows_sources


@pytest.mark.usefixtures("windows")
def test_on_windows_its_own_interpreter_freezes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter_native, "layers", lambda _: ())
    assert pick.layers(TARGET) == ()
    assert targets.find("") == TARGET
    assert targets.find("windows/amd64") == TARGET


def test_on_linux_wine_runs_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter_windows, "layers", lambda _: ())
    assert pick.layers(TARGET) == ()


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("name", ["linux/amd64", "linux/386", "linux/arm64", "all"])
def test_linux_targets_are_rejected_on_windows(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", f"--target={name}"]) == 1
    errors = capsys.readouterr().err
    assert "can only be built on 64-bit x86 Linux; this machine runs Windows\n" in errors
    assert "build windows/amd64 on this machine" in errors


@pytest.mark.parametrize(
    ("system", "machine"), [("win32", "ARM64"), ("linux", "aarch64"), ("darwin", "x86_64")]
)
def test_a_machine_that_cannot_build_is_an_error(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(BuildFailure, match=f"this machine is {system} on {machine}"):
        targets.find("windows/amd64")


@pytest.mark.usefixtures("windows")
def test_windows_requires_pip_and_no_debian_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    monkeypatch.setattr(prerequisites, "free_space", lambda _: 10**12)
    folders = {"cache": str(tmp_path), "out": str(tmp_path)}
    prerequisites.check([TARGET], building=True, **folders)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    prerequisites.check([TARGET], building=False, **folders)
    with pytest.raises(BuildFailure, match="has no pip") as failure:
        prerequisites.check([TARGET], building=True, **folders)
    assert failure.value.hint.endswith("-m ensurepip")


def test_a_cache_folder_on_a_missing_drive_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    with pytest.raises(BuildFailure, match="cannot create /x/y: / does not exist"):
        prerequisites.free_space("/x/y")


def test_the_components_have_the_versions_of_the_python_that_freezes() -> None:
    rows = interpreter_windows.components(
        python="3.13.9", openssl="3.0.18", zlib="1.3.1", expat="2.7.3"
    )
    versions = {row.name: row.version for row in rows}
    assert versions["CPython"] == "3.13.9"
    assert {"OpenSSL", "zlib", "expat", "libffi", "libyaml"} < versions.keys()
