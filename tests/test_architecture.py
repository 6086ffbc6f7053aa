"""The import rules of docs/architecture.md, and the names and doors that keep them honest."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe.actions.table import ACTIONS

SOURCE = Path(__file__).parent.parent / "src"
MODULES = sorted(SOURCE.rglob("*.py"))

# What each package may import of the others. A row may name a package or one module of it.
OPEN_TO_ALL = {"awstoe.errors", "awstoe.limits"}
ALLOWED = {
    "errors": set[str](),
    "limits": set[str](),
    "host": set[str](),
    "expressions": set[str](),
    "aws": {"awstoe.host", "awstoe.expressions"},
    "actions": {"awstoe.host", "awstoe.aws", "awstoe.expressions"},
    "document": {
        "awstoe.expressions",
        "awstoe.actions.table",
        "awstoe.actions.schema",
        "awstoe.actions.fields",
        "awstoe.host.paths",
        "awstoe.host.platforms",
    },
    "state": {"awstoe.host"},
    "engine": {
        "awstoe.document",
        "awstoe.expressions",
        "awstoe.actions",
        "awstoe.state",
        "awstoe.host",
    },
    # What the engine tells: data only, never what runs.
    "reporting": {
        "awstoe.engine.events",
        "awstoe.engine.plan",
        "awstoe.engine.records",
        "awstoe.document.model",
        "awstoe.expressions",
        "awstoe.host",
        "awstoe.aws",
    },
    "trust": set[str](),  # pure: bytes and keys in, a verdict out
    "update": {"awstoe.trust", "awstoe.host"},  # plain HTTPS, no credentials: never aws
    "cli": {"awstoe"},
    "__main__": {"awstoe.cli"},
    "__init__": set[str](),
}
# One module of a package may do more than the package; each with its reason.
EXCEPTIONS = {
    "awstoe.document.source": {"awstoe.host", "awstoe.aws"},  # the one that reads documents
}
# Libraries that only certain modules may import.
DOORS = {
    "subprocess": ("awstoe.host.process*",),
    "ctypes": ("awstoe.host.*_windows", "awstoe.host.*_linux"),
    "fcntl": ("awstoe.host.*_linux",),
    "pwd": ("awstoe.host.*_linux",),
    "grp": ("awstoe.host.*_linux",),
    "winreg": ("awstoe.host.*_windows",),
    "msvcrt": ("awstoe.host.*_windows",),
    "boto3": ("awstoe.aws.*",),
    "botocore": ("awstoe.aws.*",),
    "requests": ("awstoe.host.http",),
    "urllib3": ("awstoe.host.http",),
    "certifi": ("awstoe.host.authorities",),
    "cryptography": ("awstoe.trust.*",),
    "pyasn1": ("awstoe.trust.*",),
    "tuf": ("awstoe.update.*",),
    "securesystemslib": ("awstoe.update.*",),
    "argparse": ("awstoe.cli.*",),
    "rich": ("awstoe.cli.*", "awstoe.reporting.*"),
    "yaml": ("awstoe.document.*",),
    "awstoe_build": (),
    "awstoe_dev": (),
    "awstoe_release": (),
    "awstoe_signing": (),
    "tests": (),
    "dataclasses": (),  # their import and decoration cost more than a whole hello world
    "tempfile": (),  # imports random and with it hashlib
    "logging": (),
    "uuid": ("awstoe.host.machine",),  # only where one is wanted
    "inspect": (),
}
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
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(path: Path) -> str:
    """The row of ALLOWED that ``path`` falls under."""
    return path.relative_to(SOURCE / "awstoe").with_suffix("").parts[0]


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
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_module_imports_only_what_its_package_may(path: Path) -> None:
    package, module = package_of(path), name_of(path)
    allowed = ALLOWED[package] | OPEN_TO_ALL | EXCEPTIONS.get(module, set())
    own = "awstoe" if package.startswith("__") else f"awstoe.{package}"
    wrong = [
        f"{path}:{found.line}: {module} may not import {found.target}"
        for found in imports_of(path)
        if inside(found.target, "awstoe")
        and not inside(found.target, own)
        and not any(inside(found.target, each) for each in allowed)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_dangerous_and_heavy_libraries_have_one_door(path: Path) -> None:
    module = name_of(path)
    wrong = [
        f"{path}:{found.line}: only {DOORS[library] or 'nobody'} may import {library}"
        for found in imports_of(path)
        if (library := found.target.partition(".")[0]) in DOORS
        and not any(matches(module, pattern) for pattern in DOORS[library])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_module_name_says_what_it_is_about(path: Path) -> None:
    assert not VAGUE_NAMES & set(name_of(path).replace("_", ".").split("."))


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_module_has_a_docstring_and_a_readable_size(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} does not say how it fits"
    assert text.count("\n") <= 500, f"{path} asks to be two things"


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_nothing_prints_but_the_console(path: Path) -> None:
    if name_of(path).startswith("awstoe.cli"):
        return
    wrong = [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "sys.exit", "exit"}
        # Frozen-process hygiene ends here, with the exit code of cli.main().
        and not (path.stem == "__main__" and ast.unparse(node.func) == "sys.exit")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", sorted(ACTIONS.items()), ids=lambda row: row[0])
def test_actions_never_import_each_other(row: tuple[str, object]) -> None:
    modules = {f"awstoe.actions.{each.module}" for each in ACTIONS.values()}
    own = f"awstoe.actions.{ACTIONS[row[0]].module}"
    path = SOURCE / (own.replace(".", "/") + ".py")
    wrong = [
        f"{path}:{found.line}: {found.target}"
        for found in imports_of(path)
        if any(inside(found.target, module) for module in modules)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sorted((SOURCE / "awstoe/expressions").glob("*.py")), ids=identify)
def test_expressions_do_no_input_or_output(path: Path) -> None:
    wrong = [
        f"{path}:{found.line}: {found.target}"
        for found in imports_of(path)
        if found.target.partition(".")[0] not in PURE
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_has_a_row() -> None:
    assert {package_of(path) for path in MODULES} <= set(ALLOWED)


def test_platform_differences_stand_in_modules_named_for_the_platform() -> None:
    """``sys.platform`` is asked where a module of two is chosen, nowhere else."""
    asking = [
        name_of(path)
        for path in MODULES
        if "sys.platform" in path.read_text() and not path.stem.endswith(("_linux", "_windows"))
    ]
    assert all(module.startswith(("awstoe.host.", "awstoe.__main__")) for module in asking), asking


def test_standard_library_is_known() -> None:
    """The names of DOORS are real modules, so that a typing mistake does not open a door."""
    ours = {"awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests"}
    third_party = {
        *("boto3", "botocore", "cryptography", "pyasn1", "requests", "rich"),
        *("certifi", "securesystemslib", "tuf", "urllib3", "yaml"),
    }
    assert set(DOORS) - ours - third_party <= set(sys.stdlib_module_names)
