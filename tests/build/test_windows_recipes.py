"""The recipes for windows/amd64, and their prerequisites."""

import re
from pathlib import Path
from typing import Final

import pytest

from awstoe_build import prerequisites, targets
from awstoe_build.failure import BuildFailure
from awstoe_build.interpreters import pick
from awstoe_build.toolchain import bootloader, layers, registry
from awstoe_build.toolchain.windows import bootloader as windows_bootloader
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import wine

ROOT: Final = Path(__file__).parent.parent.parent
TARGET: Final = targets.TARGETS["windows/amd64"]


def pins(lock: str) -> dict[str, str]:
    """Return the versions in a lock, by package."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


def test_the_compiled_packages_have_the_versions_of_the_other_targets() -> None:
    ours = pins(registry.read_lock("windows"))
    others = {**pins(registry.read_lock("sources")), **pins(registry.read_lock("site"))}
    shared = ours.keys() & others.keys()
    assert {"cffi", "cryptography", "pyyaml"} <= shared
    assert {name: ours[name] for name in shared} == {name: others[name] for name in shared}


def test_every_function_of_the_bootloaders_additions_is_called() -> None:
    text = "".join(Path(path).read_text(encoding="utf-8") for path in windows_bootloader.ADDITIONS)
    calls = text + "".join(each.new for each in windows_bootloader.EDITS)
    functions = re.findall(r"^(awstoe_\w+)\(", text, re.MULTILINE)
    assert len(functions) > 10
    # Its definition, and a call or a use as an argument.
    assert all(len(re.findall(rf"\b{name}[(,]", calls)) >= 2 for name in functions)


def test_the_bootloaders_of_all_systems_report_a_full_disk() -> None:
    for edits in (bootloader.EDITS, windows_bootloader.EDITS):
        assert any("cannot unpack itself" in each.new for each in edits)


def test_a_changed_c_source_changes_the_runtimes_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = pick.layers(TARGET)
    before = layers.key(runtime)
    changed = tmp_path / "python.c"
    changed.write_text("int wmain(void);\n")
    monkeypatch.setitem(windows_runtime.C_SOURCES, "python", str(changed))
    runtime, _ = pick.layers(TARGET)
    assert layers.key(runtime) != before


def test_missing_wine_packages_are_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    target = TARGET._replace(interpreter="/nonexistent")
    with pytest.raises(BuildFailure, match="wine, wine64, wine64-preloader") as failure:
        prerequisites.check([target], building=False, cache=str(tmp_path), out=str(tmp_path))
    assert failure.value.hint == (
        "run as root: apt-get install --no-install-recommends wine wine64 wine64-preloader"
    )


def test_the_windows_toolchain_does_not_require_what_only_linux_libraries_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    monkeypatch.setattr(prerequisites, "free_space", lambda _: 10**12)
    with pytest.raises(BuildFailure, match="missing on this machine") as failure:
        prerequisites.check([TARGET], building=True, cache=str(tmp_path), out=str(tmp_path))
    assert "autoconf" not in failure.value.message
    assert "patch" in failure.value.message


@pytest.mark.parametrize(
    ("name", "windows_name"),
    [
        ("/srv/a b/c.txt", "Z:\\srv\\a b\\c.txt"),
        ("/", "Z:\\"),
        ("/ä/../b", "Z:\\b"),
    ],
)
def test_wine_maps_this_machines_files_to_drive_z(name: str, windows_name: str) -> None:
    assert wine.path(name) == windows_name


def test_programs_under_wine_do_not_get_the_callers_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WINEPREFIX", "/home/me/.wine")
    monkeypatch.setenv("PYTHONPATH", "/home/me")
    environment = wine.environment("/prefix")
    assert environment["WINEPREFIX"] == "/prefix"
    assert not {"DISPLAY", "PYTHONPATH"} & environment.keys()
