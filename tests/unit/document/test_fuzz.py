"""Parsing reports problems for any bytes: it never raises, and it always ends."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from awstoe.document.parse import parse
from awstoe.document.problems import has_errors, render
from awstoe.document.syntax import encoding
from awstoe.expressions.conditions import LOGICAL, OPERATORS
from awstoe.host.platforms import Platform

DOCUMENTS = Path(__file__).parent.parent.parent / "documents"
SAMPLES = [
    path.read_bytes()
    for path in sorted(DOCUMENTS.glob("*/*"))
    if path.suffix in {".yml", ".json"} and path.stat().st_size < 10_000
]
PIECES = st.sampled_from(
    [
        *(b"{{ build.A.outputs.stdout }}", b"{{", b"}}", b"{{ x", b"\t", b"\n", b" ", b": ", b"- "),
        *(
            b"&a",
            b"*a",
            b"!x ",
            b"!%C0%80 ",
            b"<<: ",
            b"|\n",
            b">-\n",
            b"'",
            b'"',
            b"[",
            b"]",
            b"{",
            b"}",
            b"#",
        ),
        *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\\", b"%", b"@", b"? ", b"---\n", b"~"),
    ]
)
WORDS = st.sampled_from(
    [
        *("name", "schemaVersion", "phases", "steps", "action", "inputs", "loop", "if", "then"),
        *("for", "forEach", "list", "delimiter", "start", "end", "updateBy", "value", "path"),
        *("parameters", "constants", "type", "default", "commands", "source", "content"),
        *("timeoutSeconds", "onFailure", "maxAttempts", "disableLogging", "build", "1.0", "string"),
        *("ExecuteBash", "CreateFile", "Assert", "ExecuteDocument", "SetRegistry", "InstallMSI"),
        *("{{ build.A.outputs.stdout }}", "{{ loop.value }}", "{{ aws:ssm:resolve(a) }}", "-1", ""),
        *OPERATORS,
        *LOGICAL,
    ]
)
LEAVES = WORDS | st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
STEPS = st.fixed_dictionaries(
    {"name": WORDS, "action": WORDS, "inputs": VALUES},
    optional={
        "loop": VALUES,
        "if": VALUES,
        "timeoutSeconds": LEAVES,
        "maxAttempts": LEAVES,
        "onFailure": LEAVES,
    },
)
PHASES = st.fixed_dictionaries({"name": WORDS, "steps": st.lists(STEPS, max_size=4)})
TREES = st.fixed_dictionaries(
    {"schemaVersion": st.just("1.0"), "phases": st.lists(PHASES, max_size=3)},
    optional={"parameters": VALUES, "constants": VALUES},
)


def check(data: bytes) -> None:
    lines = encoding.shown_lines(data)
    mutated = parse(data, "a.yml", set(Platform))
    for problem in mutated.problems:
        render(problem, lines).encode()
        assert problem.line <= len(lines)
    assert (mutated.document is None) == has_errors(mutated.problems)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_rejected(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@given(st.data())
def test_changed_documents_are_parsed_or_rejected(data: Any) -> None:  # noqa: ANN401
    mutated = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated)))
        length = data.draw(st.integers(0, 12))
        mutated[place : place + length] = data.draw(PIECES)
    check(bytes(mutated))


@given(TREES)
def test_any_structure_is_parsed_or_rejected(tree: object) -> None:
    check(json.dumps(tree).encode())


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=10))
def test_any_json_is_parsed_or_rejected(tree: object) -> None:
    check(json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass"))
