"""Every known pitfall of frozen programs has tests that exist."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from subject import ROOT

PITFALLS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "pitfalls.yml").read_text(encoding="utf-8")
)


@cache
def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", PITFALLS, ids=lambda row: row["pitfall"])
def test_a_pitfall_has_an_answer_and_existing_tests(row: dict[str, Any]) -> None:
    assert row["answer"]
    assert row["tests"]
    for test in row["tests"]:
        name, _, function = test.partition("::")
        path = ROOT / name
        assert path.is_file(), test
        assert not function or function in functions_of(path), test
