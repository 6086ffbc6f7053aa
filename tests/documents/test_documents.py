"""Each document beside this file gets the verdict its folder says, and exactly its problems.

``x.windows.yml`` is validated for Windows, ``x.any.yml`` for both platforms, the others for Linux.
What is said about ``x.yml`` stands in ``x.yml.problems``; a valid document without such a file has
nothing to be said about.
"""

from pathlib import Path

import pytest

from awstoe.actions.table import ACTIONS
from awstoe.document.parse import Parsed, parse
from awstoe.document.problems import render
from awstoe.document.syntax import encoding
from awstoe.document.syntax.yaml_reader import HAS_LIBYAML
from awstoe.host.platforms import Platform
from conftest import Golden

HERE = Path(__file__).parent
SUFFIXES = (".yml", ".json")
VALID = sorted(path for path in (HERE / "valid").iterdir() if path.suffix in SUFFIXES)
INVALID = sorted(path for path in (HERE / "invalid").iterdir() if path.suffix in SUFFIXES)


def platforms(path: Path) -> set[Platform]:
    if ".any." in path.name:
        return set(Platform)
    return {Platform.WINDOWS if ".windows." in path.name else Platform.LINUX}


def parsed(path: Path, *, strict: bool = False, libyaml: bool = HAS_LIBYAML) -> Parsed:
    return parse(path.read_bytes(), path.name, platforms(path), strict=strict, libyaml=libyaml)


def rendered(path: Path, found: Parsed) -> str:
    shown = encoding.shown_lines(path.read_bytes())
    return "".join(render(problem, shown) + "\n" for problem in found.problems)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_valid_documents_are_parsed(path: Path, golden: Golden) -> None:
    found = parsed(path)

    said = rendered(path, found)
    assert found.document is not None, said
    problems = path.with_name(path.name + ".problems")
    if said or problems.exists():
        golden(problems, said)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_invalid_documents_are_refused_with_all_their_problems(path: Path, golden: Golden) -> None:
    found = parsed(path)

    assert found.document is None
    golden(path.with_name(path.name + ".problems"), rendered(path, found))


@pytest.mark.parametrize("path", [*VALID, *INVALID], ids=lambda path: path.name)
def test_both_yaml_parsers_find_the_same(path: Path) -> None:
    with_libyaml, without = parsed(path, libyaml=HAS_LIBYAML), parsed(path, libyaml=False)

    assert without.document == with_libyaml.document
    if not any(problem.code == "yaml-syntax" for problem in with_libyaml.problems):
        assert without.problems == with_libyaml.problems
    else:
        assert [problem.code for problem in without.problems] == ["yaml-syntax"]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_strict_makes_warnings_errors(path: Path) -> None:
    found = parsed(path, strict=True)

    assert (found.document is None) == path.with_name(path.name + ".problems").exists()


def test_every_golden_file_has_its_document() -> None:
    goldens = HERE.glob("*/*.problems")

    assert [path for path in goldens if not path.with_suffix("").exists()] == []


def test_every_action_has_a_worked_example_that_is_valid() -> None:
    used = {
        step.action
        for path in VALID
        if (document := parsed(path).document) is not None
        for phase in document.phases
        for step in phase.steps
        if step.operations
    }

    assert used == ACTIONS.keys()
