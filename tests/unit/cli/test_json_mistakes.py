"""The causes of syntax errors in configuration files, as text for their authors."""

import json

import pytest

from awstoe.cli.json_mistakes import mistake
from awstoe.document.syntax import json_reader
from awstoe.document.syntax.json_reader import NotJson
from awstoe.document.syntax.nodes import TreeBuilder

# The text with its mistake in «», and parts of the message and the hint.
CASES = [
    ('{"a": 1«,»}', "the comma before '}' separates nothing", "remove this comma"),
    ('{"a": [1, 2«,»\n]}', "the comma before ']' separates nothing", "remove this comma"),
    ('{"a": [1,«,» 2]}', "two commas in a row", "remove one"),
    ('{\n  «/»/ why\n  "a": 1}', "JSON has no comments", "remove all comments"),
    ('{"a": 1 «/»* why */}', "JSON has no comments", "remove all comments"),
    ('{"a": 1}\n«#» why', "JSON has no comments", "remove all comments"),
    ('«#» why\n{"a": 1}', "JSON has no comments", "remove all comments"),
    ("{«'»a': 1}", "JSON has no strings in single quotes", "in place of each"),
    ("{\"a\": «'»b'}", "JSON has no strings in single quotes", "in place of each"),
    ('{"a": «`»b`}', "JSON has no strings in backticks", "in place of each"),
    ("{«\u201c»a\u201d: 1}", "\u201c is a typographic quote", "in place of each"),
    ("«d»ocuments:\n  - path: a.yml\n", "it is YAML", 'write it as JSON: {"documents"'),
    ("«-»--\na: 1\n", "it is YAML", 'write it as JSON: {"documents"'),
    ("«-» path: a.yml\n", "it is YAML", 'write it as JSON: {"documents"'),
    ("«#» why\na: 1\n", "it is YAML", 'write it as JSON: {"documents"'),
    ("«n»ame: x\nschemaVersion: 1.0\nphases:\n", "it is a component document", "without --config"),
    ("«d»ocuments=a.yml\n", "lines of the form NAME=VALUE", 'write it as JSON: {"documents"'),
    ("«<»!DOCTYPE html>", "it is HTML or XML", "where the file comes from"),
    ("«a».yml", "expected '{' at the start, got 'a.yml'", "a configuration file is JSON"),
    ("{«a»: 1}", "a key needs double quotes", 'write "a"'),
    ('{"a": «b»uild}', "a string needs double quotes", 'write "build"'),
    ('{"a": «/»var/log, "b": 1}', "a string needs double quotes", 'write "/var/log"'),
    ('{"a": «T»rue}', "JSON has no value True", "write true"),
    ('{"a": «N»one}', "JSON has no value None", "write null"),
    ('{"a": «0»12}', "012 is not a number in JSON", 'write "012"'),
    ('{"a": «.»5}', ".5 is not a number in JSON", 'write ".5"'),
    ('{"a": 1 «"»b": 2}', "expected ',' or '}', got", "add the missing comma"),
    ('{"a": [1 «2»]}', "expected ',' or ']', got '2'", "add the missing comma"),
    ('{"a" «=» 1}', "expected ':', got '='", "write ':'"),
    ('{"a": 1} «{»}', "expected the end of the file, got '{", "remove what follows"),
    ('{"a": 1}«}»', "expected the end of the file, got '}'", "remove what follows"),
    ('{"a": [1«}»', "expected ',' or ']', got '}'", ""),
    ('{"a": «}»', "expected a value, got '}'", ""),
    ('{"a": [1, 2«]»', "the file ends where ',' or '}' is expected", "closed?"),
    ('{"a"«:»', "the file ends where a value is expected", "closed?"),
    ('{"a": «"»b}', "this string does not end", "add the missing '\"'"),
    ('{"a": «"»b\n}', "the string does not end on this line", "add the missing '\"'"),
    ('{"a": "C:«\\»logs"}', "the escape '\\l' does not exist", "a backslash as two"),
    ('{"a": "C:«\\»users"}', "the escape '\\u' does not exist", "a backslash as two"),
    ('{"a": "b«\t»c"}', "the control character U+0009", "'\\u0009'"),
]


@pytest.mark.parametrize(("marked", "message", "hint"), CASES)
def test_the_cause_of_a_syntax_error_is_named(marked: str, message: str, hint: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(NotJson) as caught:
        json_reader.feed(text, TreeBuilder())
    found = mistake(text, caught.value)
    assert message in found.message
    assert hint in found.hint
    assert found.offset == marked.index("«")


@pytest.mark.parametrize(
    "text", ["{", "[", '{"', "\0", "\\", '"\\', "{]", "[}", '{"a"', "-", "{:", "'"]
)
def test_any_text_has_a_cause(text: str) -> None:
    with pytest.raises(NotJson) as caught:
        json_reader.feed(text, TreeBuilder())
    found = mistake(text, caught.value)
    assert found.message
    assert 0 <= found.offset < len(text)
