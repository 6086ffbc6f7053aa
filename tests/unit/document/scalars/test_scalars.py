"""Texts that are not what their author sees are reported, and no others.

Each file in this folder has cases of one kind. A case has these keys:

    case       its name
    platform   linux (the default) or windows
    commands   the entries of the commands of the step 'Use': ExecuteBash, or ExecutePowerShell
    inputs     the inputs of a CreateFile step, in place of commands
    step       everything but the name of the step, in place of both
    document   a whole document, in place of all
    problems   what is reported, in order; without this key, nothing

A problem is ``LINE CODE`` or ``LINE CODE: HINT``, with words of its hint. Lines count from the
first line of the given text. Codes of errors end in ``!``.

Documents but whole ones have two earlier steps, GetUrl (ExecuteBash) and Read (ReadFile), the
parameter Version and the constants Open and Close, which hold braces.
"""

import textwrap
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from awstoe.document.parse import parse
from awstoe.document.problems import Problem, Severity, headline
from awstoe.host.platforms import Platform

HERE = Path(__file__).parent
BEFORE = """\
schemaVersion: 1.0
parameters:
  - Version: {type: string, default: "1.10"}
constants:
  - Open: {type: string, value: "{{"}
  - Close: {type: string, value: "}}"}
phases:
  - name: build
    steps:
      - name: GetUrl
        action: %s
        inputs: {commands: [echo https://example.com]}
      - name: Read
        action: ReadFile
        inputs: [{path: notes}]
      - name: Use
"""
SHELLS = {"linux": "ExecuteBash", "windows": "ExecutePowerShell"}

Case = dict[str, Any]


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['case']}")
        for path in sorted(HERE.glob("*.yml"))
        for case in cast("list[Case]", yaml.safe_load(path.read_text(encoding="utf-8")))
    ]


def document(case: Case) -> tuple[str, int]:
    """Return the case's document, and the number of lines before the case's text."""
    if "document" in case:
        return case["document"], 0
    shell = SHELLS[case.get("platform", "linux")]
    before = BEFORE % shell
    text, depth = case.get("step", ""), 8
    if "commands" in case:
        before += f"        action: {shell}\n        inputs:\n          commands:\n"
        text, depth = case["commands"], 12
    elif "inputs" in case:
        before += "        action: CreateFile\n        inputs:\n"
        text, depth = case["inputs"], 10
    return before + textwrap.indent(text, " " * depth), before.count("\n")


def shown(problem: Problem, skipped: int) -> str:
    mark = "!" if problem.severity is Severity.ERROR else ""
    return f"{problem.line - skipped} {problem.code}{mark}"


@pytest.mark.parametrize("case", cases())
def test_a_text_has_the_listed_problems(case: Case) -> None:
    text, skipped = document(case)

    result = parse(text.encode(), "case.yml", [Platform(case.get("platform", "linux"))])

    wanted = [entry.partition(": ") for entry in case.get("problems", [])]
    found = "\n".join(f"{headline(problem)} -> {problem.hint}" for problem in result.problems)
    assert [shown(problem, skipped) for problem in result.problems] == [
        place for place, _, _ in wanted
    ], found
    for problem, (_, _, hint) in zip(result.problems, wanted, strict=True):
        assert hint in problem.hint
        assert problem.message
        assert not problem.path or problem.path.startswith(("phases[0]", "parameters"))


def test_cases_have_no_unknown_keys() -> None:
    known = {"case", "platform", "commands", "inputs", "step", "document", "problems"}

    assert [case.id for case in cases() if not case.values[0].keys() <= known] == []
