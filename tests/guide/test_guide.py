"""The worked examples of the AWSTOE user guide, restated: each is valid, and runs where it can.

The guide is part of EC2 Image Builder's. Each YAML file in this folder has the examples of one
section in the guide's order: same keys, same kinds of values, same quotes, other names and texts.
An entry of a section has

    example      its name
    platform     linux, windows or any: where it is valid
    step, steps, phase, phases, document    the text: one of these, as much as the guide shows
    broken       why it does not do what the guide says
    valid        false if it is refused
    said         the message in that case
    mended       the text as it was meant; the following keys are about this one
    inputs       the operations of its last step, as parsed
    runs         true if it can run here: without network, AWS, Windows and reboot
    files        files before the run; see ``cases/files.py``
    environment  variables of the run
    outputs      by step; ``any`` is a value of which only the name is compared
    statuses     by step, if not success
    logged       a line of console.log
    after        files afterwards; see ``cases/files.py``

``$TMP`` is a folder of the example's own, ``$SELF`` the user who runs the tests, and ``$USER`` and
``$GROUP`` are a user and a group that files can be given to.
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
from awstoe.document.syntax.yaml_reader import HAS_LIBYAML
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
    *("said", "mended", "inputs", "runs", "files", "environment", "outputs", "statuses"),
    *("logged", "after"),
}
FRAMES = {
    "step": ("schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      -\n", 8),
    "steps": ("schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n", 6),
    # A document needs one of the phases that Image Builder runs.
    "phase": (
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n"
        "      - {name: Nothing, action: Assert, inputs: {stringIsEmpty: ''}}\n",
        2,
    ),
    "phases": ("schemaVersion: 1.0\n", 0),
    "document": ("", 0),
}
"""The text before that of an example, and how far the example is indented."""

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the examples use ExecuteBash")

Entry = dict[str, Any]


def entries(section: str) -> list[Entry]:
    found = yaml.safe_load((HERE / f"{section}.yml").read_text(encoding="utf-8"))
    return cast("list[Entry]", found)


EXAMPLES = [
    pytest.param(entry, id=f"{section}: {entry['example']}")
    for section in SECTIONS
    for entry in entries(section)
]
REFUSED = [param for param in EXAMPLES if not cast("Entry", param.values[0]).get("valid", True)]
MEANT = [
    param
    for param in EXAMPLES
    if param not in REFUSED or "mended" in cast("Entry", param.values[0])
]
RUN = [param for param in MEANT if cast("Entry", param.values[0]).get("runs")]
OPERATORS = entries("operators")
COMMAND_LINE = entries("command-line")


def document(entry: Entry, text: str) -> str:
    """Return ``text`` with the frame that makes it a document."""
    (kind,) = FRAMES.keys() & entry.keys()
    before, depth = FRAMES[kind]
    return before + textwrap.indent(text, " " * depth)


def given(entry: Entry) -> str:
    """Return the document with the text of the guide."""
    (kind,) = FRAMES.keys() & entry.keys()
    return document(entry, entry[kind])


def meant(entry: Entry) -> str:
    """Return the document with the text as it was meant."""
    return document(entry, entry["mended"]) if "mended" in entry else given(entry)


def platforms(entry: Entry) -> list[Platform]:
    return list(Platform) if entry["platform"] == "any" else [Platform(entry["platform"])]


def parsed(text: str, platform: Platform, *, libyaml: bool = HAS_LIBYAML) -> Parsed:
    return parse(text.encode(), "guide.yml", [platform], libyaml=libyaml)


def said(found: Parsed) -> str:
    return "\n".join(map(headline, found.problems))


@pytest.mark.parametrize("entry", MEANT)
def test_an_example_is_valid_and_its_inputs_keep_their_text(entry: Entry) -> None:
    texts = [given(entry)] if entry.get("valid", True) else []
    for text, platform in itertools.product([*texts, meant(entry)], platforms(entry)):
        found = parsed(text, platform)

        assert found.document is not None, said(found)
        assert found.problems == []
        if "inputs" in entry:
            assert list(found.document.phases[-1].steps[-1].operations) == entry["inputs"]


@pytest.mark.parametrize("entry", REFUSED)
def test_a_broken_example_is_refused(entry: Entry) -> None:
    assert entry["broken"]
    for platform, libyaml in itertools.product(platforms(entry), {HAS_LIBYAML, False}):
        found = parsed(given(entry), platform, libyaml=libyaml)

        assert found.document is None
        assert entry["said"] in said(found)


def test_an_example_of_one_platform_is_refused_on_the_other_when_its_action_is() -> None:
    bash = next(
        cast("Entry", param.values[0]) for param in RUN if "ExecuteBash" in str(param.values[0])
    )

    found = parsed(meant(bash), Platform.WINDOWS)

    assert "Unsupported action ExecuteBash for os platform windows" in said(found)


def test_entries_have_no_unknown_keys_and_only_broken_ones_are_refused() -> None:
    for param in EXAMPLES:
        entry = cast("Entry", param.values[0])
        assert entry.keys() <= KEYS
        assert entry.get("valid", True) or "broken" in entry, entry["example"]


class Outcome(NamedTuple):
    """The results of one example."""

    entry: Entry
    """With all variables replaced."""
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
    """Return the user who runs the tests, and a user and a group that files can be given to."""
    user, group = os.geteuid(), os.getegid()
    mine = owners(user, group)
    if user == 0:
        other = next(found for found in pwd.getpwall() if found.pw_uid not in (0, 65534))
        user, group = other.pw_uid, other.pw_gid
    theirs = owners(user, group)
    return {"SELF": mine["owner"], "USER": theirs["owner"], "GROUP": theirs["group"]}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The results of the examples that run: all in one run, one document each."""
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
        toe.write(name, meant(entry))
        prepared[name] = entry
    ended = toe.run("--documents", ",".join(prepared), environment=environment)
    assert ended.exit_code == 0, ended.summary["failureMessage"]
    return {
        entry["example"]: Outcome(entry, record, toe.folder, ended.console)
        for entry, record in zip(prepared.values(), ended.records["documents"], strict=True)
    }


def without_any(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``found`` with ``any`` wherever ``wanted`` has it."""
    return [
        {key: "any" if wish.get(key) == "any" else value for key, value in outputs.items()}
        for outputs, wish in zip(found, wanted, strict=True)
    ]


@needs_bash
@pytest.mark.parametrize("entry", RUN)
def test_an_example_runs_and_does_what_the_guide_says(
    entry: Entry, outcomes: dict[str, Outcome]
) -> None:
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
    """The result of each condition of operators.yml as an Assert step, all in one run."""
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
def test_a_condition_has_the_verdict_of_the_guide_or_our_own_where_that_is_broken(
    number: int, verdicts: list[bool]
) -> None:
    assert verdicts[number] == OPERATORS[number]["verdict"], OPERATORS[number]["condition"]


@needs_bash
@pytest.mark.parametrize("entry", COMMAND_LINE, ids=lambda entry: str(entry["example"]))
def test_a_call_of_the_guide_does_what_it_says(entry: Entry, tmp_path: Path) -> None:
    toe = Toe(tmp_path)
    create(tmp_path, cast("Entry", substitute(entry["files"], {"TMP": str(tmp_path)})))

    ended: Ended = toe.run(*entry["arguments"])

    assert ended.exit_code == entry["exit_code"], ended.stderr
    if entry["exit_code"]:
        assert entry["said"] in ended.stderr
    else:
        assert {name: ended.printed(name) for name in ended.statuses} == entry["printed"]
