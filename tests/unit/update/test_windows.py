"""Runs ``on_windows`` in Wine."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe_build import targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import site as windows_site
from fakes import wine

COMPILER = "x86_64-w64-mingw32-gcc"
ROOT = Path(__file__).parents[3]
VERSIONS = {version: version for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0")}


def missing() -> str:
    """Return what is missing on this machine; empty if nothing is."""
    if not shutil.which(COMPILER):
        return "there is no compiler for Windows (package gcc-mingw-w64-x86-64-win32)"
    if lacking := wine.missing():
        return lacking
    layer = windows_site.recipe(targets.TARGETS["windows/amd64"])
    if Cache(cache_folder(), print).missing([layer]):
        return "there are no packages for Windows: make toolchain TARGET=windows/amd64"
    return ""


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


def test_updates_work_on_windows(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("windows")
    programs = folder / "programs"
    programs.mkdir()
    for name, version in {**VERSIONS, "broken": "1.4.0"}.items():
        subprocess.run(
            [
                *(COMPILER, "-Os", "-s", f'-DVERSION="{version}"'),
                *(f"-DBROKEN_IN_PLACE={int(name == 'broken')}", "-include", "string.h"),
                *("-o", str(programs / f"{name}.exe"), str(ROOT / "tests/fakes/stand_in.c")),
            ],
            check=True,
        )
    layer = Cache(cache_folder(), print).obtain(
        windows_site.recipe(targets.TARGETS["windows/amd64"])
    )
    packages = [str(ROOT / "src"), str(ROOT / "signing"), layer]
    packages += [each for each in sys.path if each.endswith("site-packages")]
    with wine.machine(folder, packages) as machine:
        ended = machine.run(
            machine.python,
            *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
            wine.path(Path(__file__).with_name("on_windows.py")),
            folder=ROOT,
            environment={
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "STAND_INS": wine.path(programs),
            },
            seconds=540,
        )
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode(errors="replace")
    assert b" passed" in ended.stdout
