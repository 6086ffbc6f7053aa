"""Documents that cannot run: each problem is reported with its place, and nothing starts."""

import os
from typing import NamedTuple

import pytest

from cli.running import Toe, bash


class Case(NamedTuple):
    """A document, the place of its problem, and a part of the message."""

    text: str | bytes
    place: str
    messages: tuple[str, ...]


def step(inputs: str = "inputs: {commands: [touch ran]}", action: str = "ExecuteBash") -> str:
    return (
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n"
        f"      - name: Step\n        action: {action}\n        {inputs}\n"
    )


NOT = "stringIsEmpty: x"
for _ in range(5):
    NOT = f"not: {{{NOT}}}"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = {
    "empty": Case("", "", ("empty",)),
    "only-comments": Case("# nothing\n", "", ("empty",)),
    "binary": Case(
        b"\x7fELF\x02\x01\0\0\0", "", ("expected a component document, got a Linux program",)
    ),
    "invalid-utf8": Case(step().encode() + b"# \xff\n", ":8:3", ("UTF-8",)),
    "utf16": Case(step().encode("utf-16"), "", ("UTF-16", "UTF-8")),
    "syntax": Case("schemaVersion: 1.0\nphases: [\n", ":3:1", ()),
    "tab": Case("schemaVersion: 1.0\nphases:\n\t- name: build\n", ":3:1", ()),
    "duplicate-key": Case(
        step("inputs: {commands: [a]}\n        inputs: {commands: [b]}"), ":8:9", ("duplicate key",)
    ),
    "alias-bomb": Case(BOMB + step(), "", ("nodes",)),
    "eleven-mib": Case("#" * (11 * 1024 * 1024), "", ("larger than 10 MiB",)),
    "unknown-action": Case(
        step(action="ExecuteBsh"), ":6:17", ("Unsupported action ExecuteBsh", "ExecuteBash")
    ),
    "wrong-platform": Case(
        step(action="ExecutePowerShell"),
        ":6:17",
        ("Unsupported action ExecutePowerShell for os platform linux",),
    ),
    "unknown-key": Case(
        step("inputs: {comands: [a]}"), ":7:18", ("comands", "did you mean 'commands'")
    ),
    "later-step": Case(
        step("inputs: {commands: ['echo {{ build.Later.outputs.stdout }}']}")
        + "      - {name: Later, action: ExecuteBash, inputs: {commands: [a]}}\n",
        ":7:",
        ("Later", "later"),
    ),
    "missing-step": Case(
        step("inputs: {commands: ['echo {{ build.Stepp.outputs.stdout }}']}"), ":7:", ("Stepp",)
    ),
    "undeclared-name": Case(step("inputs: {commands: ['echo {{ Nope }}']}"), ":7:", ("Nope",)),
    "endless-loop": Case(
        step(
            "loop: {for: {start: 1, end: 5, updateBy: -1}}\n        inputs: {commands: [touch ran]}"
        ),
        ":7:",
        ("would never end",),
    ),
    "bad-delimiter": Case(
        step(
            "loop: {forEach: {list: 'a', delimiter: '|'}}\n        inputs: {commands: [touch ran]}"
        ),
        ":7:48",
        ("delimiter", "expected"),
    ),
    "then-maybe": Case(
        step("if: {stringIsEmpty: x, then: Maybe}\n        inputs: {commands: [touch ran]}"),
        ":7:38",
        ("Abort, Execute, Skip", "Maybe"),
    ),
    "five-nots": Case(
        step(f"if: {{{NOT}}}\n        inputs: {{commands: [touch ran]}}"), ":7:", ("4",)
    ),
    "bad-name": Case(
        step().replace("name: Step", "name: A Step"),
        ":5:15",
        ("Invalid step name 'A Step' in phase 'build'",),
    ),
    "schema-version": Case(
        step().replace("1.0", "2.0"), ":1:16", ("Invalid schema version. Supported versions",)
    ),
    "no-phases": Case("schemaVersion: 1.0\n", ":1:1", ("phases",)),
    "no-timeout": Case(step("timeoutSeconds: 0\n        inputs: {commands: [a]}"), ":7:25", ()),
}


@pytest.mark.parametrize("name", CASES)
def test_an_invalid_document_is_reported_with_its_place_and_nothing_starts(
    toe: Toe, name: str
) -> None:
    case = CASES[name]
    data = case.text.encode() if isinstance(case.text, str) else case.text
    (toe.folder / "bad.yml").write_bytes(data)
    good = toe.document(bash("Good", "touch ran"))
    ended = toe.run("-d", f"{good},bad.yml")
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 0, 0, 0)
    assert ended.summary["failureMessage"].startswith("Document bad.yml failed! ")
    assert f"bad.yml{case.place}" in ended.stderr
    for word in case.messages:
        assert word in ended.stderr
    assert "".join(case.messages[:1]) in ended.summary["failureMessage"]
    assert not (toe.folder / "ran").exists()
    assert toe.nothing_left()


def test_the_source_line_is_shown_with_a_caret(toe: Toe) -> None:
    toe.write("bad.yml", step(action="ExecuteBsh"))
    lines = toe.run("-d", "bad.yml").stderr.splitlines()
    at = next(number for number, line in enumerate(lines) if "ExecuteBsh" in line and " | " in line)
    assert lines[at].strip() == "6 |         action: ExecuteBsh"
    assert lines[at + 1].index("^") == lines[at].index("ExecuteBsh")
    assert "ExecuteBash" in lines[at + 2]


def test_the_problems_of_all_documents_are_reported_together(toe: Toe) -> None:
    toe.write("one.yml", step(action="Nothing") + "unknown: 1\n")
    toe.write("two.yml", step(action="Nothing"))
    ended = toe.run("-d", "one.yml,missing.yml,two.yml")
    for place in ("one.yml:6:17: ", "one.yml:8:1: ", "missing.yml: ", "two.yml:6:17: "):
        assert place in ended.stderr
    assert ended.summary["failureMessage"].startswith("Document one.yml failed! ")


def test_warnings_do_not_stop_a_run(toe: Toe) -> None:
    toe.write("doc.yml", "version: 3\n" + step("inputs: {commands: [echo hi]}"))
    ended = toe.run("-d", "doc.yml")
    assert ended.exit_code == 0
    assert "doc.yml:1:1: warning: " in ended.stderr


def test_a_warning_is_not_reported_as_the_reason_of_a_failure(toe: Toe) -> None:
    toe.write("doc.yml", "version: 3\n" + step(action="Nothing"))
    message = toe.run("-d", "doc.yml").summary["failureMessage"]
    assert "warning" not in message
    assert "Unsupported action Nothing" in message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.yml", "there is no such file"),
        ("dco.yml", "did you mean 'doc.yml'"),
        ("empty", "there are no documents in this folder"),
        ("doc.yml/x", "a part of this path is a file"),
        ("/dev/null", "expected a regular file"),
        ("s3://bucket/doc.yml", "in this version of awstoe"),
        ("arn:aws:imagebuilder:eu-west-1:aws:component/x/1.0.0/1", "in this version of awstoe"),
    ],
)
def test_a_document_that_cannot_be_read_is_an_error(toe: Toe, path: str, message: str) -> None:
    (toe.folder / "empty").mkdir()
    toe.document(bash("S", "true"))
    ended = toe.run("-d", path)
    assert ended.exit_code == 1
    assert message in ended.stderr
    assert ended.summary["failureMessage"].startswith(f"Document {path} failed! ")
    assert toe.nothing_left()


def test_a_fifo_does_not_block(toe: Toe) -> None:
    os.mkfifo(toe.folder / "pipe.yml")
    ended = toe.run("-d", "pipe.yml")
    assert ended.exit_code == 1
    assert "expected a regular file" in ended.stderr


def test_a_document_without_read_permission_is_an_error(toe: Toe) -> None:
    toe.document(bash("S", "true"))
    (toe.folder / "doc.yml").chmod(0)
    if os.geteuid() == 0:
        toe.become_nobody()
    ended = toe.run("-d", "doc.yml")
    assert ended.exit_code == 1
    assert "permission denied" in ended.stderr
    assert toe.nothing_left()


def test_a_document_whose_name_is_not_utf8_runs(toe: Toe) -> None:
    name = b"d\xffc.yml".decode(errors="surrogateescape")
    toe.document(bash("S", "true"), name=name)
    ended = toe.run("-d", name)
    assert ended.exit_code == 0, ended.stderr
    assert ended.records["documents"][0]["status"] == "success"


def test_an_unusual_but_valid_document_runs(toe: Toe) -> None:
    text = "\ufeff---\r\n" + step("inputs: {commands: [echo hi]}").replace("\n", "\r\n")
    (toe.folder / "doc.yml").write_bytes(text.rstrip().encode())
    ended = toe.run("-d", "doc.yml")
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Step") == "hi"
