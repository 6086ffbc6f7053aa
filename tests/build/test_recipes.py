"""The recipes: pins, locks, edits, what goes into the executable, and prerequisites."""

import ast
import importlib.util
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from awstoe.actions.table import ACTIONS
from awstoe_build import prerequisites, selection, targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain import (
    bootloader,
    cpython,
    layers,
    libraries,
    registry,
    source_pins,
    sources,
)
from awstoe_build.toolchain.layers import Cache
from awstoe_dev.import_rules import DOORS

ROOT = Path(__file__).parent.parent.parent
LOCKS = sorted(Path(registry.lock_path("site")).parent.glob("*.txt"))


def pins(lock: str) -> dict[str, str]:
    """Return the versions in a lock, by package."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


@pytest.mark.parametrize("source", source_pins.SOURCES, ids=lambda each: each.name)
def test_every_source_is_pinned_by_version_and_hash(source: sources.Source) -> None:
    archives = [source.upstream, *([source.packaging] if source.packaging else [])]
    assert source.version
    assert all(re.fullmatch(r"[0-9a-f]{64}", archive.sha256) for archive in archives)
    assert bool(source.patches) == bool(source.packaging)


def test_the_locks_are_found() -> None:
    assert {path.stem for path in LOCKS} >= {"site", "sources", "tools", "zig"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda each: each.stem)
def test_every_python_package_is_pinned_by_hash_and_no_host_is_named(path: Path) -> None:
    text = registry.read_lock(path.stem)
    assert "://" not in path.read_text()
    assert re.fullmatch(r"([a-z0-9-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}\n)+", text)


def test_the_file_has_the_versions_that_the_tests_run_with() -> None:
    ours = {**pins(registry.read_lock("site")), **pins(registry.read_lock("sources"))}
    pinned = pins((ROOT / "requirements.lock").read_text())
    shared = set(ours) & set(pinned)
    assert {name: ours[name] for name in shared} == {name: pinned[name] for name in shared}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=]", each)[0].lower() for each in project["dependencies"]}
    assert names <= shared


def test_every_hash_of_a_python_package_is_that_of_the_lock_file() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = pins(lock)
    for name in ("site", "sources"):
        for package, _, sha256 in re.findall(
            r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:(\w+)",
            registry.read_lock(name),
            re.MULTILINE,
        ):
            assert package not in pinned or sha256 in lock


def test_the_pinned_pyinstaller_allows_nested_programs() -> None:
    version = pins(registry.read_lock("sources"))["pyinstaller"]
    assert tuple(map(int, version.split("."))) >= (6, 22, 3)


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (("CVE-*",), ["CVE-1.patch", "CVE-2.patch"]),
        (("ssl-*", "CVE-2*"), ["ssl-crash.patch", "CVE-2.patch"]),
        (("*",), ["layout.diff", "CVE-1.patch", "ssl-crash.patch", "CVE-2.patch"]),
    ],
)
def test_patches_are_selected_by_pattern_in_debians_order(
    tmp_path: Path, patterns: tuple[str, ...], chosen: list[str]
) -> None:
    series = tmp_path / "series"
    series.write_text(
        "#old.diff\nlayout.diff -p1\nCVE-1.patch\n\nssl-crash.patch\nCVE-2.patch #x\n"
    )
    assert sources.select_patches(str(series), patterns) == chosen


def test_a_pattern_that_matches_no_patch_stops_the_build(tmp_path: Path) -> None:
    series = tmp_path / "series"
    series.write_text("layout.diff\n")
    with pytest.raises(BuildFailure, match=r"no patch in .* matches 'CVE-"):
        sources.select_patches(str(series), ("CVE-*",))


@pytest.mark.parametrize("text", ["nothing of it", "old; old;"])
def test_an_edit_whose_text_does_not_occur_exactly_once_stops_the_build(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.c").write_text(text)
    with pytest.raises(BuildFailure, match="expected once"):
        bootloader.apply_edits(str(tmp_path), (bootloader.Edit("a.c", "old;", "new;"),))
    assert (tmp_path / "a.c").read_text() == text


def test_an_edit_replaces_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("before old; after")
    bootloader.apply_edits(str(tmp_path), (bootloader.Edit("a.c", "old;", "new;"),))
    assert (tmp_path / "a.c").read_text() == "before new; after"


PROCESSORS = re.compile(
    r"ALIGNOF_|SIZEOF_|HAVE_GCC_(ASM_FOR|UINT128)|HAVE___UINT128|HAVE_LARGEFILE|PY_SUPPORT_TIER"
    r"|PY_HAVE_PERF_TRAMPOLINE"
)
"""The lines of CPython's pyconfig.h that may differ between targets."""


def test_all_interpreters_are_configured_alike() -> None:
    """What configure cannot test for a foreign target must not get a bad default."""
    cache = Cache(cache_folder(), print)
    definitions = {}
    for target in targets.TARGETS.values():
        if target.system is targets.System.LINUX and not cache.missing([cpython.recipe(target)]):
            layer = cache.obtain(cpython.recipe(target))
            text = (Path(layer) / f"include/python{cpython.VERSION}/pyconfig.h").read_text()
            lines = {
                line for line in text.splitlines() if line.startswith(("#define", "/* #undef"))
            }
            definitions[target.name] = {line for line in lines if not PROCESSORS.search(line)}
    if len(definitions) < len(("one", "and another")):
        pytest.skip("needs the toolchains of two targets: run make toolchain TARGET=linux/386")
    (_, first), *others = definitions.items()
    assert {name: sorted(first ^ lines) for name, lines in others if first ^ lines} == {}
    assert "#define HAVE_COMPUTED_GOTOS 1" in first


def test_every_function_of_the_bootloaders_additions_is_called() -> None:
    text = "".join(Path(path).read_text() for path in bootloader.ADDITIONS)
    calls = text + "".join(each.new for each in bootloader.EDITS)
    functions = re.findall(r"^(awstoe_\w+)\(", text, re.MULTILINE)
    assert len(functions) > 10
    assert [name for name in functions if len(re.findall(rf"\b{name}\b", calls)) < 2] == []


def test_freezing_sees_every_action_module() -> None:
    actions = [each for each in selection.hidden_imports() if each.startswith("awstoe.")]
    assert len(actions) == len(ACTIONS)
    for name in actions:
        assert (ROOT / "src" / (name.replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("name", selection.LOADED_BY_NAME)
def test_a_module_that_is_loaded_by_name_exists_and_is_not_excluded(name: str) -> None:
    assert importlib.util.find_spec(name)
    parents = name.split(".")
    assert not {".".join(parents[: size + 1]) for size in range(len(parents))} & set(
        selection.EXCLUDED
    )


def imported(code: str) -> set[str]:
    """Return the modules that code imports anywhere, also in functions, and their packages."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            names |= {str(each.value) for each in node.args if isinstance(each, ast.Constant)}
    return {name[: dot.start()] for name in names for dot in re.finditer(r"\.|$", name)}


def test_nothing_that_awstoe_imports_is_excluded() -> None:
    """An import in a function would fail only in the executable, and only when it is used."""
    for path in (ROOT / "src").rglob("*.py"):
        assert not imported(path.read_text()) & set(selection.EXCLUDED), path


@pytest.mark.parametrize(
    "code",
    [
        "import boto3.session",
        "def f():\n    import boto3",
        "def f():\n    from boto3.session import Session",
        "from tuf import repository",
        "import urllib3.contrib.pyopenssl as x",
        "def f():\n    return importlib.import_module('botocore.config')",
    ],
)
def test_an_import_of_an_excluded_module_would_be_found(code: str) -> None:
    assert imported(code) & set(selection.EXCLUDED)


def test_the_libraries_for_aws_are_excluded_as_long_as_awstoe_does_not_import_them() -> None:
    """The import rules allow them in awstoe.aws: whoever adds an import must include them."""
    libraries = {"boto3", "botocore", "s3transfer", "jmespath"}
    assert libraries <= set(selection.EXCLUDED)
    assert "awstoe.aws.*" in DOORS["boto3"]
    assert not any(
        imported(path.read_text()) & libraries for path in (ROOT / "src/awstoe/aws").rglob("*.py")
    )


def test_an_unknown_target_is_reported_with_the_known_ones() -> None:
    with pytest.raises(BuildFailure, match="unknown target 'linux/mips'") as failure:
        targets.find("linux/mips")
    assert "linux/386" in failure.value.hint


def test_the_default_target_is_this_machines() -> None:
    assert targets.find("").name == "linux/amd64"


def test_missing_packages_are_named_all_at_once_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    foreign = targets.TARGETS["linux/386"]
    with pytest.raises(BuildFailure, match="autoconf") as failure:
        prerequisites.check([foreign], building=True, cache=str(tmp_path), out=str(tmp_path))
    assert "libc6:i386" in failure.value.message
    assert failure.value.hint.startswith(
        "run as root: dpkg --add-architecture i386 && apt-get update"
    )
    assert "autoconf automake" in failure.value.hint


def test_freezing_does_not_require_what_only_toolchains_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    foreign = targets.TARGETS["linux/arm64"]
    with pytest.raises(BuildFailure, match="binutils-aarch64-linux-gnu") as failure:
        prerequisites.check([foreign], building=False, cache=str(tmp_path), out=str(tmp_path))
    assert "qemu" not in failure.value.message
    with pytest.raises(BuildFailure, match="qemu-user-static") as failure:
        prerequisites.check([foreign], building=True, cache=str(tmp_path), out=str(tmp_path))
    assert "libc6:arm64" in failure.value.message


def test_missing_disk_space_is_reported_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: True)
    monkeypatch.setattr(prerequisites, "free_space", lambda _: 1_000_000_000)
    folder = str(tmp_path / "not" / "there")
    with pytest.raises(BuildFailure, match=r"has 1\.0 GB free, the build may need 3\.0 GB"):
        prerequisites.check([targets.BUILD_MACHINE], building=True, cache=folder, out=str(tmp_path))
    prerequisites.check([targets.BUILD_MACHINE], building=False, cache=folder, out=str(tmp_path))


def test_free_space_is_found_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert prerequisites.free_space(os.path.join(str(tmp_path), "not", "there")) > 0


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "linux/other"},
        {"zig": "x86-linux-gnu.2.28"},
        {"triple": "i686-other-gnu"},
        {"openssl": "linux-x32"},
        {"elf": (64, 183)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_field_that_compilers_receive_changes_the_keys_of_compiled_layers(
    changed: dict[str, Any],
) -> None:
    before = targets.TARGETS["linux/386"]
    after = before._replace(**changed)
    for recipe in (libraries.recipe, cpython.recipe):
        assert layers.key(recipe(before)) != layers.key(recipe(after))


def test_other_fields_of_a_target_rebuild_no_compiled_layer() -> None:
    before = targets.TARGETS["linux/386"]
    after = before._replace(size_budget=1, to_freeze=(("a", "b"),), program="other")
    for recipe in (libraries.recipe, cpython.recipe):
        assert layers.key(recipe(before)) == layers.key(recipe(after))
