"""Enforces the import rules of docs/architecture.md: which module may import which."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe.actions.table import ACTIONS
from awstoe_dev import architecture_picture
from awstoe_dev.import_rules import ALLOWED, DOORS, OPEN_TO_ALL, PRODUCT_DOORS

ROOT = Path(__file__).parent.parent
SOURCES = tuple(ROOT / each for each in ("src", "build", "release", "signing"))
SOURCE = SOURCES[0]
"""The product; the others are its tooling."""
EVERYTHING = sorted(path for source in SOURCES for path in source.rglob("*.py"))
MODULES = [path for path in EVERYTHING if path.is_relative_to(SOURCE)]

PURE = {
    *(
        "awstoe",
        "bisect",
        "collections",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "functools",
        "itertools",
    ),
    *("json", "math", "operator", "re", "string", "sys", "types", "typing", "unicodedata"),
}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


class Import(NamedTuple):
    target: str
    """The module, or the module and the name taken from it."""
    line: int


def name_of(path: Path) -> str:
    source = next(each for each in SOURCES if path.is_relative_to(each))
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def row_of(module: str) -> str:
    """Return the row of ALLOWED that a module falls under; empty if there is none."""
    rows = [row for row in ALLOWED if inside(module, row)]
    return max(rows, key=len, default="")


def imports_of(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide what is imported"
            for alias in node.names:
                yield Import(f"{node.module}.{alias.name}", node.lineno)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            text = node.args[0]
            if isinstance(text, ast.Constant):
                yield Import(str(text.value), node.lineno)


def inside(target: str, package: str) -> bool:
    return target == package or target.startswith(package + ".")


def matches(module: str, pattern: str) -> bool:
    start, star, end = pattern.partition("*")
    return module.startswith(start) and module.endswith(end) if star else inside(module, pattern)


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_module_imports_only_what_its_row_allows(path: Path) -> None:
    module = name_of(path)
    row = row_of(module)
    assert row, f"{module} is in no row of ALLOWED"
    allowed = OPEN_TO_ALL | ALLOWED[row]
    wrong = [
        f"{path}:{imported.line}: {module} may not import {imported.target}"
        for imported in imports_of(path)
        if imported.target.partition(".")[0].startswith("awstoe")
        and not inside(imported.target, row if row != "awstoe" else module)
        and not any(inside(imported.target, each) for each in allowed)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_dangerous_and_heavy_libraries_have_one_door(path: Path) -> None:
    module = name_of(path)
    doors = DOORS | PRODUCT_DOORS if path in MODULES else DOORS
    wrong = [
        f"{path}:{imported.line}: only {doors[library] or 'no module'} may import {library}"
        for imported in imports_of(path)
        if (library := imported.target.partition(".")[0]) in doors
        and not any(matches(module, pattern) for pattern in doors[library])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_module_name_is_a_concept(path: Path) -> None:
    assert not VAGUE_NAMES & set(name_of(path).replace("_", ".").split("."))


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_module_has_a_docstring_and_a_readable_size(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert text.count("\n") <= 500, f"{path} has more than 500 lines: split it"


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_only_the_console_prints(path: Path) -> None:
    if name_of(path).startswith("awstoe.cli"):
        return
    wrong = [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "sys.exit", "exit"}
        # __main__ ends the process with the exit code of cli.main().
        and not (path.stem == "__main__" and ast.unparse(node.func) == "sys.exit")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", sorted(ACTIONS.items()), ids=lambda row: row[0])
def test_actions_never_import_each_other(row: tuple[str, object]) -> None:
    modules = {f"awstoe.actions.{each.module}" for each in ACTIONS.values()}
    own = f"awstoe.actions.{ACTIONS[row[0]].module}"
    path = SOURCE / (own.replace(".", "/") + ".py")
    wrong = [
        f"{path}:{imported.line}: {imported.target}"
        for imported in imports_of(path)
        if any(inside(imported.target, module) for module in modules)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "awstoe/expressions").rglob("*.py")), ids=identify
)
def test_expressions_do_no_input_or_output(path: Path) -> None:
    wrong = [
        f"{path}:{imported.line}: {imported.target}"
        for imported in imports_of(path)
        if imported.target.partition(".")[0] not in PURE
    ]
    assert not wrong, "\n".join(wrong)


def test_every_row_has_a_module() -> None:
    """A row without modules is a typing mistake or a leftover."""
    used = {row_of(name_of(path)) for path in EVERYTHING}
    assert used >= set(ALLOWED)


def test_rows_do_not_import_each_other_in_circles() -> None:
    """If a row may import another, the other may not import it, not even through third rows."""
    order = TopologicalSorter(
        {
            row: {other for other in ALLOWED if any(inside(other, each) for each in allowed)}
            - {other for other in ALLOWED if inside(other, row) or inside(row, other)}
            for row, allowed in ALLOWED.items()
        }
    )
    order.prepare()


def test_the_picture_and_the_tables_match_the_rules() -> None:
    assert architecture_picture.PICTURE.read_text() == architecture_picture.picture()
    page = architecture_picture.PAGE.read_text()
    assert page == architecture_picture.page(page)


def test_the_picture_has_every_package_above_what_it_imports() -> None:
    stairs = architecture_picture.packages()
    assert {each.name for each in stairs} >= {"awstoe.cli", "awstoe.host", "awstoe_release"}
    for number, package in enumerate(stairs):
        assert package.imports <= {each.name for each in stairs[number + 1 :]}, package.name


def test_only_the_host_checks_the_platform() -> None:
    modules = [name_of(path) for path in MODULES if "sys.platform" in path.read_text()]
    assert all(module.startswith(("awstoe.host.", "awstoe.__main__")) for module in modules), (
        modules
    )


def test_standard_library_is_known() -> None:
    """The names in DOORS are real modules: a typing mistake would open a door."""
    ours = {"awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests"}
    third_party = {
        *("boto3", "botocore", "cryptography", "pyasn1", "requests", "rich"),
        *("certifi", "securesystemslib", "tuf", "urllib3", "yaml"),
    }
    names = set(DOORS) | set(PRODUCT_DOORS)
    assert names - ours - third_party <= set(sys.stdlib_module_names)
