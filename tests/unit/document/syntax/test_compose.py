"""The tree of a document: positions and limits."""

from typing import TypeAlias

import pytest
import yaml

from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.syntax import compose, encoding
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, value_of
from awstoe.errors import HostError

Comparable: TypeAlias = "tuple[object, ...]"


def comparable(node: Node) -> Comparable:
    """Return a tree as tuples."""
    if isinstance(node, Scalar):
        return (node.text, node.plain, node.line, node.column)
    if isinstance(node, Mapping):
        entries = [(comparable(key), comparable(value)) for key, value in node.entries.values()]
        return (node.line, node.column, *entries)
    return (node.line, node.column, *map(comparable, node.items))


def tree(text: str) -> Node:
    diagnostics = Diagnostics("a.yml")
    node = compose.read(text, diagnostics)
    assert diagnostics.sorted(strict=False) == []
    return node


def test_every_node_has_its_position() -> None:
    node = tree("a: 1\nb:\n  - 'x'\n  - {c: \"d\"}\n")

    assert comparable(node) == (
        1,
        1,
        (("a", True, 1, 1), ("1", True, 1, 4)),
        (
            ("b", True, 2, 1),
            (3, 3, ("x", False, 3, 5), (4, 5, (("c", True, 4, 6), ("d", False, 4, 9)))),
        ),
    )


def test_scalars_are_never_interpreted() -> None:
    text = "[0700, 1.10, yes, 2001-01-01, 1_000, 0x1F, '~', ~, !!str 1, !!int '2', '']"

    assert value_of(tree("a: " + text)) == {
        "a": [
            *("0700", "1.10", "yes", "2001-01-01", "1_000", "0x1F"),
            *("~", None, "1", "2", ""),
        ]
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\tb\n", {"a": "b"}),
        ("a: b\tc\t\n", {"a": "b\tc"}),
        ("a: b\t# comment\n", {"a": "b"}),
        ("a: |-\t\n  b\n", {"a": "b"}),
        ("a: b\n \tc\n", {"a": "b c"}),
        ("a: b\n\n\n  c\n", {"a": "b\n\nc"}),
        ("- [a,\n\tb]\n", [["a", "b"]]),
        ('{\t"a"\t:\t[1,\t2]\t}', {"a": ["1", "2"]}),
        ('{"a": "\\u00e9\\/\\ud83d\\ude00"}', {"a": "\u00e9/\U0001f600"}),
        ('{"a": true, "b": null, "c": -1.5e3, "d": {}, "e": []}\n',
         {"a": "true", "b": None, "c": "-1.5e3", "d": {}, "e": []}),
        ("{a: b, 'c': [d]}", {"a": "b", "c": ["d"]}),
        ('{"' + "k" * 2000 + '": 1}', {"k" * 2000: "1"}),
        ("x: &d {a: 1, b: 2}\ny:\n  <<: *d\n  a: 3\n",
         {"x": {"a": "1", "b": "2"}, "y": {"a": "3", "b": "2"}}),
        ("x: &d {a: 1}\ny: &e {b: 2}\nz:\n  <<: [*d, *e]\n",
         {"x": {"a": "1"}, "y": {"b": "2"}, "z": {"a": "1", "b": "2"}}),
        ("'<<': a\n", {"<<": "a"}),
        ("&k a: 1\nb: *k\n", {"a": "1", "b": "a"}),
        ("a: &x b\n*x : c\n", {"a": "b", "b": "c"}),
        ("---\na: b\n...\n", {"a": "b"}),
    ],
)  # fmt: skip
def test_valid_yaml_and_json_is_read(text: str, value: object) -> None:
    assert value_of(tree(text)) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000, "too-deep"),
        ('{"a":' * 100_000, "too-deep"),
        ("{ " * 100_000, "too-deep"),
        ("- " * 100_000, "too-deep"),
        ("? " * 100_000, "too-deep"),
        ("a: " + "[" * 80 + "]" * 80, "too-deep"),
        ("a: &a [" + "[" * 40 + "]" * 40 + "]\nb: " + "[" * 40 + "*a" + "]" * 40, "too-deep"),
        ("%TAG !a! b\n" * 200 + "---\na: b\n", "too-many-directives"),
        ("a: &a [*a]\n", "recursive-alias"),
        ("a: *b\n", "unknown-alias"),
        ("a: \t- b\n", "yaml-syntax"),
        ("a:\n\t- b\n", "yaml-syntax"),
        ("a: |\n\tb\n", "yaml-syntax"),
        ('a: "\\UFFFFFFFF"\n', "yaml-syntax"),
        ('a: "\\ud83d"\n', "yaml-syntax"),
        ("a: b\n---\nc: d\n", "several-documents"),
        ("# nothing\n", "empty-document"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_an_unreadable_document_is_rejected_quickly(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        compose.read(text, Diagnostics("a.yml"))

    assert caught.value.code == code


@pytest.mark.parametrize("form", ["sequence", "merge"])
def test_an_alias_bomb_is_rejected_quickly(form: str) -> None:
    lines = ["a0: &a0 {x: [y, y, y, y, y, y, y, y, y]}"]
    for level in range(1, 20):
        names = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(
            f"a{level}: &a{level} "
            + (f"[{names}]" if form == "sequence" else f"{{<<: [{names}], b{level}: [{names}]}}")
        )
    with pytest.raises(Unreadable) as caught:
        compose.read("\n".join(lines), Diagnostics("a.yml"))

    assert caught.value.code == "too-many-nodes"


def test_pyyaml_without_libyaml_is_an_error_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)

    with pytest.raises(HostError, match="expected PyYAML with libyaml") as caught:
        tree("a: b\n")

    assert caught.value.hint
    assert value_of(tree('{"a": "b"}')) == {"a": "b"}  # JSON does not need it


def test_aliases_share_their_node() -> None:
    node = tree("a: &x [1]\nb: *x\n")

    assert isinstance(node, Mapping)
    assert node.value("a") is node.value("b")


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"a: 1\nb: \xff\n", 2, 4),
        ("é: ".encode() + b"\xc3\x28", 1, 4),
        (b"a\r\nb: \x07", 2, 4),
        (b"a\xe2\x80\xa8b: \x1b", 2, 4),
        (b"a: \xef\xbf\xbe", 1, 4),
    ],
)
def test_bytes_that_are_not_text_are_rejected_with_their_position(
    data: bytes, line: int, column: int
) -> None:
    with pytest.raises(Unreadable) as caught:
        encoding.decode(data)

    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("encoded", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(encoded: str) -> None:
    with pytest.raises(Unreadable, match=r"UTF-(16|32)") as caught:
        encoding.decode("schemaVersion: 1.0\nphases: []\n".encode(encoded))

    assert caught.value.code == "not-utf-8"
