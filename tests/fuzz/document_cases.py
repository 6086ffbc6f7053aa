"""Makes documents: valid ones, changed bytes, lines and values of real ones, and ones that grow."""

import functools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from awstoe.actions.table import ACTIONS
from awstoe.expressions.conditions import LOGICAL, OPERATORS
from fuzz import valid_documents

_TESTS = Path(__file__).parents[1]
_SAMPLES = ("tests/documents/*/*.yml", "tests/documents/*/*.json", "examples/*.yml")
_MOST_BYTES = 20_000
_PIECES = (
    *("{{ build.A.outputs.stdout }}", "{{", "}}", "{{ x", "\t", "\n", " ", ": ", "- ", "&a ", "*a"),
    *("!x ", "!!binary ", "!%C0%80 ", "<<: ", "|\n", ">-\n", "'", '"', "[", "]", "{", "}", "#"),
    *("\0", "\u2028", "\ufeff", "\r", "\\", "%", "@", "? ", "---\n", "...\n", "~", "0o17", "1e999"),
    *("{{ loop.value }}", "{{ aws:ssm:resolve(a) }}", "$(x)", "%YAML 1.3\n", "\x85", "\x1b[31m"),
)
_WORDS = (
    *("name", "schemaVersion", "phases", "steps", "action", "inputs", "loop", "if", "then", "else"),
    *(
        "for",
        "forEach",
        "list",
        "delimiter",
        "start",
        "end",
        "updateBy",
        "value",
        "path",
        "default",
    ),
    *("parameters", "constants", "type", "commands", "source", "content", "timeoutSeconds"),
    *("onFailure", "maxAttempts", "disableLogging", "build", "validate", "test", "1.0", "string"),
    *(*ACTIONS, *OPERATORS, *LOGICAL),
)


@functools.cache
def samples() -> tuple[bytes, ...]:
    """Return documents of this project."""
    found = [path for form in _SAMPLES for path in sorted(_TESTS.parent.glob(form))]
    return tuple(path.read_bytes() for path in found if path.stat().st_size < _MOST_BYTES)


def make(chance: random.Random) -> bytes:
    """Return a case."""
    if chance.random() < 0.6:
        return valid_documents.make(chance)
    changes: list[Callable[[random.Random], bytes]] = [
        _with_pieces,
        _with_pieces,
        _with_lines,
        _with_values,
        _with_values,
        _grown,
        _from_words,
        _any_bytes,
    ]
    return chance.choice(changes)(chance)


def _with_pieces(chance: random.Random) -> bytes:
    """Return a document with pieces of syntax inserted, or with other bytes."""
    changed = bytearray(chance.choice(samples()))
    for _ in range(chance.randint(1, 5)):
        at, length = chance.randrange(len(changed) + 1), chance.choice([0, 0, 1, 3, 12, 100])
        piece = chance.choice(_PIECES).encode()
        changed[at : at + length] = chance.choice([piece, chance.randbytes(2), b""])
    return bytes(changed)


def _with_lines(chance: random.Random) -> bytes:
    """Return a document with lines moved, repeated, removed or indented."""
    lines = chance.choice(samples()).split(b"\n")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(lines))
        change = chance.randrange(5)
        if change == 0:
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
        elif change == 1:
            lines[at:at] = [lines[at]] * chance.choice([1, 2, 50])
        elif change == 2 and len(lines) > 1:
            del lines[at]
        elif change == 3:
            lines[at] = b" " * chance.choice([1, 2, 7]) + lines[at]
        else:
            lines[at] = lines[at].lstrip()
    return b"\n".join(lines)


def _with_values(chance: random.Random) -> bytes:
    """Return a document with other values and keys in its tree."""
    sample = chance.choice(samples())
    if b"&" in sample:  # aliases multiply when they are written out
        return _from_words(chance)
    try:
        tree = yaml.safe_load(sample)
    except (yaml.YAMLError, ValueError):
        return _from_words(chance)
    for _ in range(chance.randint(1, 4)):
        tree = _changed(chance, tree)
    if chance.random() < 0.3:
        return json.dumps(tree, default=str).encode()
    width = chance.choice([20, 80, 10_000])
    return yaml.safe_dump(tree, sort_keys=False, width=width, allow_unicode=True).encode()


def _changed(chance: random.Random, tree: Any) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(tree, dict) and tree and chance.random() < 0.85:
        key = chance.choice(list(tree))
        if chance.random() < 0.15:
            return {chance.choice(_WORDS) if each == key else each: tree[each] for each in tree}
        return {**tree, key: _changed(chance, tree[key])}
    if isinstance(tree, list) and tree and chance.random() < 0.85:
        at = chance.randrange(len(tree))
        return [*tree[:at], _changed(chance, tree[at]), *tree[at + 1 :]]
    return _value(chance, 3)


def _value(chance: random.Random, depth: int) -> Any:  # noqa: ANN401 - any YAML
    """Return any value."""
    if depth and chance.random() < 0.4:
        size = chance.choice([0, 1, 2, 5])
        if chance.random() < 0.5:
            return [_value(chance, depth - 1) for _ in range(size)]
        return {chance.choice(_WORDS): _value(chance, depth - 1) for _ in range(size)}
    return chance.choice(
        [
            *(None, True, False, 0, -1, 1.5, 10**30, 2**63, float("inf"), "", " ", "0644", "~"),
            *("{{ a }}" * 50, "x" * 5000, "a\nb\r\nc", "\u2028", "é", "(" * 500, "a*" * 200),
            *("C:\\temp\\new", "~/x", "$HOME", "../..", "1.0", "{{ env:HOME }}/x", 420, 493),
            chance.choice(_WORDS),
            "".join(chance.choices(_PIECES, k=5)),
        ]
    )


def _grown(chance: random.Random) -> bytes:
    """Return a document that is deep, long or repeats itself."""
    n = chance.choice([10, 100, 1000, 20_000])
    steps = "phases:\n- name: build\n  steps:\n"
    step = "  - name: A{}\n    action: ExecuteBash\n    inputs: {{commands: [echo {}]}}\n"
    head = "schemaVersion: 1.0\n"
    bomb = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    grown: list[Callable[[], str]] = [
        lambda: head + "x: " + "[" * n,
        lambda: head + "x: " + "[" * n + "]" * n,
        lambda: head + "x: " + "{a: " * n,
        lambda: head + "".join(" " * i + f"k{i}:\n" for i in range(min(n, 1000))),
        lambda: head + "- " * n,
        lambda: head + "a0: &a0 x\n" + bomb,
        lambda: head + steps + "".join(step.format(i, i) for i in range(min(n, 2000))),
        lambda: head + steps + step.format(1, "x") * min(n, 2000),
        lambda: head + steps + step.format(1, "'" + "{{ build.A1.outputs.stdout }}" * n + "'"),
        lambda: head + "parameters:\n" + "- p: {type: string}\n" * min(n, 3000),
        lambda: head + "constants:\n" + "- c: {type: string, value: x}\n" * min(n, 3000),
        lambda: head + "x: " + "a" * n * 10,
        lambda: head + "x: '" + "\n" * n,
        lambda: head + "".join(f"&b{i} " for i in range(min(n, 2000))),
        lambda: head + "? " * n,
        lambda: "#" * n * 10 + "\n" + head,
        lambda: head + steps + _condition(chance, min(n, 1000)),
    ]
    return chance.choice(grown)().encode()


def _condition(chance: random.Random, depth: int) -> str:
    """Return a step with a condition inside conditions."""
    word = chance.choice(LOGICAL)
    inside = '{"stringIsEmpty": "{{ a }}"}'
    for _ in range(depth):
        inside = f'{{"{word}": [{inside}]}}'
    return f"  - name: A\n    action: ExecuteBash\n    if: {inside}\n"


def _from_words(chance: random.Random) -> bytes:
    """Return lines of words of the language."""
    return "\n".join(
        "  " * chance.randrange(5)
        + chance.choice(["", "- "])
        + chance.choice(_WORDS)
        + chance.choice([":", ": ", ""])
        + chance.choice([*_WORDS, *_PIECES])
        for _ in range(chance.randint(1, 40))
    ).encode()


def _any_bytes(chance: random.Random) -> bytes:
    """Return bytes, or a document in another encoding."""
    data = chance.randbytes(chance.choice([0, 1, 10, 1000, 60_000]))
    encoding = chance.choice(["utf-16", "utf-32", "utf-8", "latin-1"])
    return chance.choice([data, _recoded(chance, encoding)])


def _recoded(chance: random.Random, encoding: str) -> bytes:
    return chance.choice(samples()).decode(errors="replace").encode(encoding, "replace")
