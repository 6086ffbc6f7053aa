"""The import rules of docs/architecture.md, and the names and doors that keep them honest."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe.actions.table import ACTIONS

ROOT = Path(__file__).parent.parent
SOURCES = tuple(ROOT / each for each in ("src", "build", "release", "signing"))
SOURCE = SOURCES[0]
"""The product; the others are its tooling."""
EVERYTHING = sorted(path for source in SOURCES for path in source.rglob("*.py"))
MODULES = [path for path in EVERYTHING if path.is_relative_to(SOURCE)]

# What each package or room of a package may import of the others, besides what is below itself. The
# longest name that fits a module is its row. Platform halves fall under the row of their folder.
OPEN_TO_ALL = {"awstoe.__version__", "awstoe.contact", "awstoe.errors", "awstoe.limits"}
KERNEL32 = "awstoe.host.kernel32_windows"
ALLOWED: dict[str, set[str]] = {
    "awstoe.contact": set(),
    "awstoe.errors": set(),
    "awstoe.limits": set(),
    "awstoe.host.platforms": set(),
    "awstoe.host.kernel32_windows": set(),
    "awstoe.host.registry": set(),
    "awstoe.host.streams": set(),
    "awstoe.host.files": {"awstoe.host.platforms", KERNEL32},
    "awstoe.host.executable": {"awstoe.host.files", KERNEL32},
    "awstoe.host.process": {"awstoe.host.executable", "awstoe.host.files.oserrors", KERNEL32},
    "awstoe.host.network": {"awstoe.host.executable"},
    "awstoe.host.machine": {
        "awstoe.host.files",
        "awstoe.host.machine_linux",
        "awstoe.host.machine_windows",
        "awstoe.host.platforms",
        "awstoe.host.process",
    },
    "awstoe.host.machine_linux": set(),
    "awstoe.host.machine_windows": {"awstoe.host.files", "awstoe.host.process", KERNEL32},
    # Nothing in host imports it.
    "awstoe.host.reboot": {
        "awstoe.host.executable",
        "awstoe.host.files",
        "awstoe.host.machine",
        "awstoe.host.process",
    },
    "awstoe.expressions": set(),
    "awstoe.aws": {"awstoe.host", "awstoe.expressions"},
    "awstoe.actions": {"awstoe.host", "awstoe.aws", "awstoe.expressions"},
    "awstoe.document": {
        "awstoe.expressions",
        "awstoe.actions.table",
        "awstoe.actions.schema",
        "awstoe.actions.fields",
        "awstoe.host.files.paths",
        "awstoe.host.platforms",
    },
    "awstoe.document.syntax": {
        "awstoe.document.diagnostics",
        "awstoe.document.problems",
        "awstoe.expressions.values",
    },
    "awstoe.document.source": {  # the one that reads documents
        "awstoe.aws",
        "awstoe.document",
        "awstoe.expressions.values",
        "awstoe.host",
    },
    "awstoe.state": {"awstoe.host"},
    "awstoe.engine": {
        "awstoe.document",
        "awstoe.expressions",
        "awstoe.actions",
        "awstoe.state",
        "awstoe.host",
    },
    # What the engine reports: data only, never what runs.
    "awstoe.reporting": {
        "awstoe.engine.events",
        "awstoe.engine.plan",
        "awstoe.engine.records",
        "awstoe.document.model",
        "awstoe.expressions",
        "awstoe.host",
        "awstoe.aws",
    },
    "awstoe.trust": set(),  # pure: bytes and keys in, a verdict out
    "awstoe.update": {"awstoe.trust", "awstoe.host"},  # plain HTTPS, no credentials: never aws
    "awstoe.session": {
        "awstoe.actions.table",
        "awstoe.aws",
        "awstoe.document",
        "awstoe.engine",
        "awstoe.expressions",
        "awstoe.host",
        "awstoe.reporting",
        "awstoe.state",
    },
    "awstoe.cli": {
        "awstoe.actions",
        "awstoe.document",
        "awstoe.host",
        "awstoe.expressions.values",
        "awstoe.reporting.console",
        "awstoe.reporting.progress",
        "awstoe.session",
        "awstoe.trust",
        "awstoe.update",
    },
    "awstoe.__main__": {"awstoe.cli"},
    "awstoe": set(),
    "awstoe_build": {
        "awstoe.actions.table",
        "awstoe.host.files",
        "awstoe.trust.release_trust",
    },
    "awstoe_build.inside": {"awstoe.__main__"},  # runs in the product, never in a build
    "awstoe_dev": {"awstoe.actions.reference", "awstoe_build"},
    "awstoe_signing": {
        "awstoe.host.files",
        "awstoe.host.network",
        "awstoe.trust",
        "awstoe.update.layout",
    },
    "awstoe_release": {
        "awstoe.host",
        "awstoe.trust",
        "awstoe.update",
        "awstoe_build",
        "awstoe_signing",
    },
}
# Libraries that only certain modules may import.
DOORS = {
    "subprocess": (
        "awstoe.host.process.*",
        "awstoe_build.programs",
        "awstoe_dev.environment",
        "awstoe_dev.lock",
        "awstoe_release.programs",
        "awstoe_signing.programs",
    ),
    "ctypes": ("awstoe.host.*", "awstoe_build.inside.*"),
    "fcntl": ("awstoe.host.*", "awstoe_release.state"),
    "pwd": ("awstoe.host.*",),
    "grp": ("awstoe.host.*",),
    "winreg": ("awstoe.host.*",),
    "msvcrt": ("awstoe.host.*", "awstoe_build.inside.*"),
    "boto3": ("awstoe.aws.*", "awstoe_release.s3", "awstoe_signing.keys.kms"),
    "botocore": ("awstoe.aws.*", "awstoe_release.s3", "awstoe_signing.keys.kms"),
    "requests": ("awstoe_signing.authenticode.timestamp",),
    "urllib3": ("awstoe.host.network.*", "awstoe_signing.authenticode.timestamp"),
    "certifi": ("awstoe.host.network.ca_certificates",),
    "cryptography": ("awstoe.trust.*", "awstoe_signing.*", "awstoe_release.steps.authenticode"),
    "pyasn1": ("awstoe.trust.*", "awstoe_signing.authenticode.*", "awstoe_signing.keys.files"),
    "tuf": ("awstoe.update.*", "awstoe_signing.tuf.*", "awstoe_release.*"),
    "securesystemslib": ("awstoe.update.*", "awstoe_signing.tuf.*", "awstoe_signing.keys.*"),
    "argparse": ("awstoe.cli.*", "awstoe_build.*", "awstoe_release.*", "awstoe_signing.*"),
    "rich": ("awstoe.cli.*", "awstoe.reporting.*"),
    "yaml": ("awstoe.document.syntax.*",),
}
# The same in the product alone.
PRODUCT_DOORS: dict[str, tuple[str, ...]] = {
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
    source = next(each for each in SOURCES if path.is_relative_to(each))
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def row_of(module: str) -> str:
    """The row of ALLOWED that a module falls under; empty if there is none."""
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
    assert row, f"{module} falls under no row of ALLOWED"
    allowed = OPEN_TO_ALL | ALLOWED[row]
    wrong = [
        f"{path}:{found.line}: {module} may not import {found.target}"
        for found in imports_of(path)
        if found.target.partition(".")[0].startswith("awstoe")
        and not inside(found.target, row if row != "awstoe" else module)
        and not any(inside(found.target, each) for each in allowed)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_dangerous_and_heavy_libraries_have_one_door(path: Path) -> None:
    module = name_of(path)
    doors = DOORS | PRODUCT_DOORS if path in MODULES else DOORS
    wrong = [
        f"{path}:{found.line}: only {doors[library] or 'nobody'} may import {library}"
        for found in imports_of(path)
        if (library := found.target.partition(".")[0]) in doors
        and not any(matches(module, pattern) for pattern in doors[library])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
def test_module_name_says_what_it_is_about(path: Path) -> None:
    assert not VAGUE_NAMES & set(name_of(path).replace("_", ".").split("."))


@pytest.mark.parametrize("path", EVERYTHING, ids=identify)
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


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "awstoe/expressions").rglob("*.py")), ids=identify
)
def test_expressions_do_no_input_or_output(path: Path) -> None:
    wrong = [
        f"{path}:{found.line}: {found.target}"
        for found in imports_of(path)
        if found.target.partition(".")[0] not in PURE
    ]
    assert not wrong, "\n".join(wrong)


def test_every_row_is_of_a_module() -> None:
    """A row that nothing falls under is a typing mistake, or was left behind."""
    used = {row_of(name_of(path)) for path in EVERYTHING}
    assert used >= set(ALLOWED)


def test_rows_do_not_import_each_other_in_circles() -> None:
    """What a row may import, may not import it: the picture in docs/architecture.md has no loop."""
    order = TopologicalSorter(
        {
            row: {other for other in ALLOWED if any(inside(other, each) for each in allowed)}
            - {other for other in ALLOWED if inside(other, row) or inside(row, other)}
            for row, allowed in ALLOWED.items()
        }
    )
    order.prepare()


def test_only_the_host_asks_which_platform_it_is_on() -> None:
    asking = [name_of(path) for path in MODULES if "sys.platform" in path.read_text()]
    assert all(module.startswith(("awstoe.host.", "awstoe.__main__")) for module in asking), asking


def test_standard_library_is_known() -> None:
    """The names of DOORS are real modules, so that a typing mistake does not open a door."""
    ours = {"awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests"}
    third_party = {
        *("boto3", "botocore", "cryptography", "pyasn1", "requests", "rich"),
        *("certifi", "securesystemslib", "tuf", "urllib3", "yaml"),
    }
    names = set(DOORS) | set(PRODUCT_DOORS)
    assert names - ours - third_party <= set(sys.stdlib_module_names)
