"""A failed step names the line that a person would quote: for real scripts, and for real output.

The YAML files in ``failures`` map the name of a case to what the step does and what is reported:

    script    the commands of an ExecuteBash step, or
    steps     the steps of the document; the one that fails is named ``Case``
    step      more keys of the step that runs the script
    files     the files in the otherwise empty working directory; see ``cases/files.py``
    quote     a part of the line that the message quotes
    message   a part of the message
    never     a text that is not in the message
    first     the stream whose last lines come first, or alone: ``stdout`` or ``stderr``
    shows     a text that is printed in the terminal, with the last lines of the output
    failed    the name of the step that is reported, if it is not ``Case``
"""

import json
from pathlib import Path
from typing import Any, TypedDict

import pytest
import yaml

from cases.files import Shape, create
from cli.running import Toe, bash

FOLDER = Path(__file__).parent / "failures"


class Case(TypedDict, total=False):
    script: str
    steps: list[dict[str, Any]]
    step: dict[str, Any]
    files: dict[str, Shape]
    quote: str
    message: str
    never: str
    first: str
    shows: str
    failed: str


CASES = {
    f"{path.stem}: {name}": case
    for path in sorted(FOLDER.glob("*.yml"))
    for name, case in yaml.safe_load(path.read_text()).items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_the_line_that_a_person_would_quote_is_named(toe: Toe, case: Case) -> None:
    create(toe.folder, case.get("files", {}))
    steps = case.get("steps") or [bash("Case", case["script"], **case.get("step", {}))]
    ended = toe.steps(*steps)
    assert ended.exit_code == 1, ended.stderr
    summary = json.loads(ended.stdout)
    (failure,) = summary["failures"]
    message = failure["message"]
    terminal = ended.stderr.partition("awstoe: failed: ")[2]
    assert failure["step"] == case.get("failed", "Case")
    for text in (case.get("quote", ""), case.get("message", "")):
        assert text in message
        assert text in terminal
        assert text in summary["failureMessage"]
    if "never" in case:
        assert case["never"] not in message
    if "shows" in case:
        assert case["shows"] in terminal
    if "first" in case:
        assert terminal.partition("Last lines of ")[2].startswith(f"{case['first']}:")
