"""Each mistake of a beginner has exactly the problems that its case lists.

The cases are in ``mistakes/*.yml``, lists of mappings with the keys

    name        the mistake
    document    the text of the file, or
    steps       only its steps: they are put into a document of one phase, from line 5, or
    hex         the bytes of the file
    platforms   what to validate for; ``linux`` if it is left out
    problems    what is reported: ``at`` (line:column, 0:0 without a place), ``error`` or
                ``warning``, and ``hint``

One cause is one problem, and each problem says what to do: a hint that is missing is listed in
``WITHOUT_HINT``.
"""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from awstoe.document import unavailable
from awstoe.document.parse import parse
from awstoe.document.problems import Problem
from awstoe.host.platforms import Platform

HERE = Path(__file__).parent / "mistakes"
HEAD = "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n"
WITHOUT_HINT = {"Amazon's AWSTOE ignores 'allowedValues'; this program enforces them"}


class Mistake(NamedTuple):
    """One case."""

    id: str
    data: bytes
    platforms: set[Platform]
    problems: list[dict[str, str]]


def _data(case: dict[str, str]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "steps" in case:
        return (HEAD + "".join(f"      {line}\n" for line in case["steps"].splitlines())).encode()
    return case["document"].encode()


def _cases() -> list[Mistake]:
    return [
        Mistake(
            f"{path.stem}: {case['name']}",
            _data(case),
            {Platform(name) for name in case.get("platforms", "linux").split()},
            case["problems"],
        )
        for path in sorted(HERE.glob("*.yml"))
        for case in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    ]


def _problems(mistake: Mistake) -> list[Problem]:
    parsed = parse(mistake.data, "x.yml", mistake.platforms)
    later = unavailable.problems(parsed.document) if parsed.document is not None else []
    return [*parsed.problems, *later]


def _listed(problem: Problem) -> dict[str, str]:
    shown = {
        "at": f"{problem.line}:{problem.column}",
        str(problem.severity): problem.message,
        "hint": problem.hint,
    }
    return {key: text for key, text in shown.items() if text}


@pytest.mark.parametrize("mistake", _cases(), ids=lambda mistake: mistake.id)
def test_a_mistake_is_reported_once_with_what_to_do(mistake: Mistake) -> None:
    found = _problems(mistake)

    assert [_listed(problem) for problem in found] == mistake.problems
    assert {problem.message for problem in found if not problem.hint} <= WITHOUT_HINT
