"""The examples of the AWSTOE user guide, restated: each is valid, and runs where possible.

The guide is the one of EC2 Image Builder. Each file in this folder contains the examples of one
section in the guide's order, with the same keys, shapes of values and quotes, but other names and
texts. An entry has these keys:

    example      its name
    platform     linux, windows or any: where it is valid
    step, steps, phase, phases, document    the text: one of them, as much as the guide shows
    broken       why the example does not do what the guide says
    valid        false if awstoe rejects it
    message      words of the problem in that case
    warning      words of each warning; without this key, there is none
    corrected    the corrected text; the keys below apply to it
    inputs       the parsed operations of its last step
    runs         true if it runs here: without network, AWS, Windows or reboot
    files        files before the run; see ``cases/files.py``
    environment  environment variables of the run
    outputs      by step; ``any`` matches every value
    statuses     by step, if not success
    logged       a line of console.log
    after        files after the run; see ``cases/files.py``

``$TMP`` is a folder for this example only, ``$SELF`` is the user who runs the tests, and ``$USER``
and ``$GROUP`` are a user and a group that can own files.
"""

import itertools
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import yaml

from awstoe.document.parse import Parsed, parse
from awstoe.document.problems import headline
from awstoe.host.platforms import Platform
from cases.files import compare, create, substitute
from cli.running import Ended, Toe

if sys.platform != "win32":
    import grp
    import pwd

HERE = Path(__file__).parent
SECTIONS = (
    "general-execution",
    "download-and-upload",
    "file-system-files",
    "file-system-folders",
    "installation-and-system",
    "documents",
    "loops",
    "variables",
    "conditions",
)
KEYS = {
    *("example", "platform", "step", "steps", "phase", "phases", "document", "broken", "valid"),
    *(
        "message",
        "warning",
        "corrected",
        "inputs",
        "runs",
        "files",
        "environment",
        "outputs",
        "statuses",
    ),
    *("logged", "after"),
}
FRAMES = {
    "step": ("schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      -\n", 8),
    "steps": ("schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n", 6),
    # A document must have one of the phases that Image Builder runs.
    "phase": (
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n"
        "      - {name: Nothing, action: Assert, inputs: {stringIsEmpty: ''}}\n",
        2,
    ),
    "phases": ("schemaVersion: 1.0\n", 0),
    "document": ("", 0),
}
"""The text before an example, and the indentation of the example."""

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the examples use ExecuteBash")

Entry = dict[str, Any]


def entries(section: str) -> list[Entry]:
    loaded = yaml.safe_load((HERE / f"{section}.yml").read_text(encoding="utf-8"))
    return cast("list[Entry]", loaded)


EXAMPLES = [
    pytest.param(entry, id=f"{section}: {entry['example']}")
    for section in SECTIONS
    for entry in entries(section)
]
REJECTED = [param for param in EXAMPLES if not cast("Entry", param.values[0]).get("valid", True)]
CORRECTED = [
    param
    for param in EXAMPLES
    if param not in REJECTED or "corrected" in cast("Entry", param.values[0])
]
RUN = [param for param in CORRECTED if cast("Entry", param.values[0]).get("runs")]
OPERATORS = entries("operators")
COMMAND_LINE = entries("command-line")


def document(entry: Entry, text: str) -> str:
    """Return ``text`` in the frame that makes it a document."""
    (kind,) = FRAMES.keys() & entry.keys()
    before, depth = FRAMES[kind]
    return before + textwrap.indent(text, " " * depth)


def given(entry: Entry) -> str:
    """Return the document with the text of the guide."""
    (kind,) = FRAMES.keys() & entry.keys()
    return document(entry, entry[kind])


def corrected(entry: Entry) -> str:
    """Return the document with the corrected text."""
    return document(entry, entry["corrected"]) if "corrected" in entry else given(entry)


def platforms(entry: Entry) -> list[Platform]:
    return list(Platform) if entry["platform"] == "any" else [Platform(entry["platform"])]


def parsed(text: str, platform: Platform) -> Parsed:
    return parse(text.encode(), "guide.yml", [platform])


def messages(result: Parsed) -> str:
    return "\n".join(map(headline, result.problems))


@pytest.mark.parametrize("entry", CORRECTED)
def test_an_example_is_valid_and_its_inputs_keep_their_text(entry: Entry) -> None:
    entry = cast("Entry", substitute(entry, {"TMP": "/own"}))
    texts = [given(entry)] if entry.get("valid", True) else []
    for text, platform in itertools.product([*texts, corrected(entry)], platforms(entry)):
        result = parsed(text, platform)

        assert result.document is not None, messages(result)
        for problem in result.problems:
            assert entry.get("warning", "no warning") in problem.message
        assert bool(result.problems) == ("warning" in entry)
        if "inputs" in entry:
            assert list(result.document.phases[-1].steps[-1].operations) == entry["inputs"]


@pytest.mark.parametrize("entry", REJECTED)
def test_a_broken_example_is_rejected(entry: Entry) -> None:
    assert entry["broken"]
    for platform in platforms(entry):
        result = parsed(given(entry), platform)

        assert result.document is None
        assert entry["message"] in messages(result)


def test_an_example_for_one_platform_is_rejected_on_the_other() -> None:
    bash = next(
        cast("Entry", param.values[0]) for param in RUN if "ExecuteBash" in str(param.values[0])
    )

    result = parsed(corrected(bash), Platform.WINDOWS)

    assert "Unsupported action ExecuteBash for os platform windows" in messages(result)


def test_entries_have_no_unknown_keys_and_only_broken_ones_are_rejected() -> None:
    for param in EXAMPLES:
        entry = cast("Entry", param.values[0])
        assert entry.keys() <= KEYS
        assert entry.get("valid", True) or "broken" in entry, entry["example"]


class Outcome(NamedTuple):
    """The result of running one example."""

    entry: Entry
    """With all placeholders replaced."""
    record: dict[str, Any]
    """Its document's entry in detailedoutput.json."""
    folder: Path
    """The working directory."""
    console: str


def owners(user: int, group: int) -> dict[str, str]:
    """Return the names of a user and a group, or their numbers if they have no names."""
    try:
        owner = pwd.getpwuid(user).pw_name
    except KeyError:
        owner = str(user)
    try:
        return {"owner": owner, "group": grp.getgrgid(group).gr_name}
    except KeyError:
        return {"owner": owner, "group": str(group)}


def recipients() -> dict[str, str]:
    """Return who runs the tests, and who can own files: for root, another user."""
    user, group = os.geteuid(), os.getegid()
    mine = owners(user, group)
    if user == 0:
        other = next(each for each in pwd.getpwall() if each.pw_uid not in (0, 65534))
        user, group = other.pw_uid, other.pw_gid
    theirs = owners(user, group)
    return {"SELF": mine["owner"], "USER": theirs["owner"], "GROUP": theirs["group"]}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Run all examples in one run, one document each, and return the results."""
    toe = Toe(tmp_path_factory.mktemp("guide"))
    who = recipients()
    environment: dict[str, str] = {}
    prepared: dict[str, Entry] = {}
    for number, param in enumerate(RUN):
        own = toe.folder / f"own-{number}"
        own.mkdir()
        entry = cast("Entry", substitute(param.values[0], {"TMP": str(own), **who}))
        create(toe.folder, entry.get("files", {}))
        environment |= entry.get("environment", {})
        name = f"example-{number}.yml"
        toe.write(name, corrected(entry))
        prepared[name] = entry
    ended = toe.run("--documents", ",".join(prepared), environment=environment)
    assert ended.exit_code == 0, ended.summary["failureMessage"]
    return {
        entry["example"]: Outcome(entry, record, toe.folder, ended.console)
        for entry, record in zip(prepared.values(), ended.records["documents"], strict=True)
    }


def without_any(actual: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``actual`` with ``any`` where ``wanted`` has it."""
    return [
        {key: "any" if wish.get(key) == "any" else value for key, value in outputs.items()}
        for outputs, wish in zip(actual, wanted, strict=True)
    ]


@needs_bash
@pytest.mark.parametrize("entry", RUN)
def test_an_example_runs_as_the_guide_describes(entry: Entry, outcomes: dict[str, Outcome]) -> None:
    ran = outcomes[entry["example"]]
    steps = {step["name"]: step for phase in ran.record["phases"] for step in phase["steps"]}
    statuses = ran.entry.get("statuses", {})

    assert ran.record["status"] == "success"
    for name, step in steps.items():
        assert (name, step["status"]) == (name, statuses.get(name, "success"))
    for name, wanted in ran.entry.get("outputs", {}).items():
        assert without_any(json.loads(steps[name]["outputs"]), wanted) == wanted
    compare(ran.folder, ran.entry.get("after", {}))
    assert ran.entry.get("logged", "") in ran.console


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[bool]:
    """Run each condition of operators.yml as an Assert step and return the results."""
    toe = Toe(tmp_path_factory.mktemp("operators"))
    toe.write("folder/text", "hi")
    text = FRAMES["steps"][0]
    for number, row in enumerate(OPERATORS):
        text += f"      - name: Condition-{number}\n        action: Assert\n"
        text += "        onFailure: Ignore\n        inputs:\n"
        text += textwrap.indent(row["condition"].rstrip("\n"), " " * 10) + "\n"
    toe.write("operators.yml", str(substitute(text, {"TMP": str(toe.folder)})))
    statuses = toe.run("--documents", "operators.yml").statuses
    assert set(statuses.values()) == {"success", "ignoredFailure"}
    return [statuses[f"Condition-{number}"] == "success" for number in range(len(OPERATORS))]


@needs_bash
@pytest.mark.parametrize("number", range(len(OPERATORS)))
def test_a_condition_has_the_listed_result(number: int, verdicts: list[bool]) -> None:
    assert verdicts[number] == OPERATORS[number]["verdict"], OPERATORS[number]["condition"]


@needs_bash
@pytest.mark.parametrize("entry", COMMAND_LINE, ids=lambda entry: str(entry["example"]))
def test_a_command_of_the_guide_works(entry: Entry, tmp_path: Path) -> None:
    toe = Toe(tmp_path)
    create(tmp_path, cast("Entry", substitute(entry["files"], {"TMP": str(tmp_path)})))

    ended: Ended = toe.run(*entry["arguments"])

    assert ended.exit_code == entry["exit_code"], ended.stderr
    if entry["exit_code"]:
        assert entry["message"] in ended.stderr
    else:
        assert {name: ended.printed(name) for name in ended.statuses} == entry["printed"]
