"""The configuration file of ``run --config``: keys, precedence, and errors."""

import json
import os

import pytest

from cli.running import Ended, Json, Toe, bash, phases

SHOW = [bash("Show", "echo {{ Given }} {{ Other }}")]


@pytest.fixture
def document(toe: Toe) -> str:
    return toe.document(
        phases=phases(build=SHOW, test=[bash("Test", "echo tested")]),
        parameters=[
            {"Given": {"type": "string", "default": "d1"}},
            {"Other": {"type": "string", "default": "d2"}},
        ],
    )


def run(toe: Toe, content: Json, *arguments: str, state: bool = True) -> Ended:
    toe.write("config.json", content if isinstance(content, str) else json.dumps(content))
    return toe.run("--config", "config.json", *arguments, state=state)


def values(*pairs: tuple[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def test_every_key_has_an_effect(toe: Toe, document: str) -> None:
    ended = run(
        toe,
        {
            "documents": [{"path": document}],
            "phases": "build",
            "parameters": values(("Given", "g")),
            "executionId": "my-id",
            "logDirectory": "logs/here",
            "stateDirectory": "kept",
            "trace": True,
            "cwIgnoreFailures": False,
        },
        state=False,
    )
    assert ended.exit_code == 0, ended.stderr
    assert ended.statuses == {"Show": "success"}
    assert ended.printed("Show") == "g d2"
    assert ended.summary["executionId"] == "my-id"
    assert ended.logs.parent == toe.folder / "logs" / "here"
    assert (toe.folder / "kept" / "journal.jsonl").exists()
    assert "Debug Executor: STARTED STEP Show" in ended.stderr


def test_parameters_of_a_document_override_global_ones_and_those_override_defaults(
    toe: Toe, document: str
) -> None:
    ended = run(
        toe,
        {
            "documents": [
                {"path": document, "parameters": values(("Given", "own"))},
                {"path": document, "parameters": values(("Other", ""))},
            ],
            "phases": "build",
            "parameters": values(("Given", "global"), ("Other", "all")),
        },
    )
    first, second = (d["phases"][0]["steps"][0] for d in ended.records["documents"])
    assert json.loads(first["outputs"]) == [{"stdout": "own all"}]
    assert json.loads(second["outputs"]) == [{"stdout": "global"}]


def test_options_override_the_file(toe: Toe, document: str) -> None:
    ended = run(
        toe,
        {
            "documents": [{"path": document}],
            "phases": "build",
            "executionId": "of-the-file",
            "logDirectory": "of-the-file",
            "stateDirectory": "of-the-file",
            "trace": "true",
        },
        *("--phases", "test", "--execution-id", "of-the-line", "--log-directory", "of-the-line"),
        "--trace=false",
    )
    assert ended.statuses == {"Test": "success"}
    assert ended.summary["executionId"] == "of-the-line"
    assert ended.logs.parent == toe.folder / "of-the-line"
    assert (toe.state / "journal.jsonl").exists()
    assert not (toe.folder / "of-the-file").exists()
    assert "Debug" not in ended.stderr


@pytest.mark.parametrize("key", ["executionId", "executonId"])
def test_both_spellings_of_the_execution_id_are_accepted(toe: Toe, document: str, key: str) -> None:
    ended = run(toe, {"documents": [{"path": document}], key: "an-id"})
    assert ended.summary["executionId"] == "an-id"


def test_null_is_the_same_as_a_missing_key(toe: Toe, document: str) -> None:
    ended = run(toe, {"documents": [{"path": document, "parameters": None}], "phases": None})
    assert ended.exit_code == 0
    assert ended.counts == ("success", 2, 0, 0)


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(toe: Toe, document: str) -> None:
    text = json.dumps({"documents": [{"path": document}]}, indent=1).replace("\n", "\r\n")
    assert run(toe, "\ufeff" + text).exit_code == 0


D = '"documents": [{"path": "doc.yml"}]'


@pytest.mark.parametrize(
    ("text", "place", "messages"),
    [
        ('{\n  "document": []\n}', "2:3", ["unknown key 'document'", "did you mean 'documents'"]),
        ("{}", "1:1", ["no documents"]),
        ('{"documents": []}', "1:15", ["at least one", "got an empty list"]),
        ('{"documents": "doc.yml"}', "1:15", ["expected a list", 'write [{"path": "doc.yml"}]']),
        ('{"documents": ["doc.yml"]}', "1:16", ["documents[0]", 'write {"path": "doc.yml"}']),
        ('{"documents": {"path": "x"}}', "1:15", ["expected a list", "in brackets"]),
        ('{"documents": [{"path": ""}]}', "1:25", ["documents[0].path is empty"]),
        ('{"documents": [{"pat": "x"}]}', "1:17", ["unknown key 'pat'"]),
        ('{"documents": [{}]}', "1:16", ["documents[0] has no path"]),
        (f'{{{D},\n "executionId": 7}}', "2:17", ["expected a string", "got 7", "in quotes"]),
        (f'{{{D},\n "phases": ["a", "b"]}}', "2:12", ["got a list", 'write "a,b"']),
        (f'{{{D},\n "trace": 1}}', "2:11", ["expected true or false", "got '1'"]),
        (f'{{{D},\n "logDirectory": "a\\u0000b"}}', "2:18", ["NUL"]),
        (f'{{{D},\n "phases": "\\ud800"}}', "2:12", ["surrogate"]),
        (f'{{{D},\n "phases": "a",\n "phases": "b"}}', "3:2", ["duplicate key 'phases'"]),
        (f'{{{D}, "executionId": "a",\n "executonId": "b"}}', "2:2", ["given twice"]),
        (
            f'{{{D},\n "parameters": {{"a": "b", "c": 5}}}}',
            "2:16",
            ['write [{"name": "a", "value": "b"}, {"name": "c", "value": "5"}]'],
        ),
        (
            f'{{{D},\n "parameters": "a=b"}}',
            "2:16",
            ["list of {name, value}", 'write [{"name": "a", "value": "b"}]'],
        ),
        (f'{{{D},\n "parameters": [{{"name": "a"}}]}}', "2:17", ["exactly name and value"]),
        (f'{{{D},\n "parameters": [{{"name": "a", "value": 5}}]}}', "2:40", ["got 5"]),
        (
            f'{{{D},\n "parameters": [{{"name": "a", "value": "1"}},'
            ' {"name": "a", "value": "2"}]}',
            "2:55",
            ["the parameter a is given twice"],
        ),
        ("documents:\n  - path: doc.yml\n", "1:1", ["this is not JSON: it is YAML"]),
        (f'{{{D},\n "trace": true,\n}}', "2:15", ["this is not JSON", "remove this comma"]),
        ('{"documents": [{"path": "C:\\temp"}]}', "1:25", ["U+0009", "write two"]),
        (f'{{{D},\n "logDirectory": "C:\\new"}}', "2:18", ["U+000A", "write two"]),
        ("[]", "1:1", ["the configuration: expected a mapping", "a list"]),
    ],
)
def test_an_error_is_reported_with_its_place_and_nothing_starts(
    toe: Toe, document: str, text: str, place: str, messages: list[str]
) -> None:
    assert document == "doc.yml"
    ended = run(toe, text)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"config.json:{place}: error: " in ended.stderr
    for message in messages:
        assert message in ended.stderr
    assert toe.nothing_left()


def test_all_errors_are_reported_together_in_order(toe: Toe, document: str) -> None:
    text = f'{{"phases": 3,\n "documents": [{{"path": "{document}"}}],\n "trac": true}}'
    ended = run(toe, text)
    assert ended.exit_code == 2
    assert ended.stderr.index("config.json:1:12: ") < ended.stderr.index("config.json:3:2: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"documents": "\xff"}', "UTF-8"),
        (b"\x7fELF\0\0\0", "binary"),
        (b"[" * 100_000, "nested more than 64 levels deep"),
        (b"{" + b" " * (10 * 1024 * 1024) + b"}", "larger than 10 MiB"),
    ],
)
def test_a_file_that_is_not_json_is_an_error(toe: Toe, data: bytes, message: str) -> None:
    (toe.folder / "config.json").write_bytes(data)
    ended = toe.run("--config", "config.json")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "config.json" in ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.json", "No such file"),
        ("file:///x/run.json", "write /x/run.json"),
        ("~/run.json", "awstoe does not expand '~'"),
        ('{"documents": []}', "write the JSON into a file"),
        (".", "expected a JSON file, got a folder"),
        ("s3://bucket/config.json", "does not read configuration files from S3"),
        ("", "expected the path"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(toe: Toe, path: str, message: str) -> None:
    ended = toe.run("--config", path)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert message in ended.stderr


def test_a_pipe_with_a_name_is_an_error_because_it_could_wait_forever(toe: Toe) -> None:
    os.mkfifo(toe.folder / "c.json")
    ended = toe.run("--config", "c.json")
    assert ended.exit_code == 2
    assert "expected a regular file, got a named pipe" in ended.stderr


def test_the_file_may_be_a_pipe(toe: Toe, document: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, json.dumps({"documents": [{"path": document}]}).encode())
    os.close(writer)
    ended = toe.run("--config", f"/dev/fd/{reader}", passed=(reader,))
    os.close(reader)
    assert ended.exit_code == 0, ended.stderr


def test_a_missing_document_fails_the_run_with_a_summary(toe: Toe) -> None:
    ended = run(toe, {"documents": [{"path": "nothing.yml"}]})
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 0, 0, 0)
    assert ended.summary["failureMessage"].startswith("Document nothing.yml failed! ")
