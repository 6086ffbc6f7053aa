"""Each document in ``valid`` and ``invalid`` has exactly the problems in its golden file.

``x.windows.yml`` is validated for Windows, ``x.any.yml`` for both platforms, the others for Linux.
The problems of ``x.yml`` are in ``x.yml.problems``. A valid document without such a file has none.
"""

from pathlib import Path

import pytest

from awstoe.actions.table import ACTIONS
from awstoe.document.parse import Parsed, parse
from awstoe.document.problems import render
from awstoe.document.syntax import encoding
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


def parsed(path: Path, *, strict: bool = False) -> Parsed:
    return parse(path.read_bytes(), path.name, platforms(path), strict=strict)


def rendered(path: Path, result: Parsed) -> str:
    lines = encoding.shown_lines(path.read_bytes())
    return "".join(render(problem, lines) + "\n" for problem in result.problems)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_valid_documents_are_parsed(path: Path, golden: Golden) -> None:
    result = parsed(path)

    warnings = rendered(path, result)
    assert result.document is not None, warnings
    problems = path.with_name(path.name + ".problems")
    if warnings or problems.exists():
        golden(problems, warnings)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_invalid_documents_are_rejected_with_all_their_problems(path: Path, golden: Golden) -> None:
    result = parsed(path)

    assert result.document is None
    golden(path.with_name(path.name + ".problems"), rendered(path, result))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_strict_turns_warnings_into_errors(path: Path) -> None:
    result = parsed(path, strict=True)

    assert (result.document is None) == path.with_name(path.name + ".problems").exists()


def test_every_golden_file_has_its_document() -> None:
    goldens = HERE.glob("*/*.problems")

    assert [path for path in goldens if not path.with_suffix("").exists()] == []


def test_every_action_has_a_valid_example() -> None:
    used = {
        step.action
        for path in VALID
        if (document := parsed(path).document) is not None
        for phase in document.phases
        for step in phase.steps
        if step.operations
    }

    assert used == ACTIONS.keys()
