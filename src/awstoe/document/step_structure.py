"""Reads the structure of a step as its author meant it: keys beside, above or below their place."""

from collections.abc import Collection
from typing import Final

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS, Shape
from awstoe.document import advice, declarations, keys
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.problems import Severity
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions import conditions
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform

_LOOPS: Final = ("for", "forEach")
_COUNT_FORM: Final = "'for: {start: 1, end: 3, updateBy: 1}'"
_SPLIT_FORM: Final = '\'forEach: {list: "a,b", delimiter: ","}\''
_PARTS: Final = ("value", "path", "then", "else")
_OPERATORS: Final = frozenset({*conditions.OPERATORS, *conditions.LOGICAL})
_KNOWN: Final = frozenset(keys.STEP.known)
_MOVED: Final = _KNOWN - {"name", "action"}
_HOLDERS: Final = ("inputs", "loop", "if")


def as_meant(
    diagnostics: Diagnostics, platforms: Collection[Platform], node: Mapping, path: str
) -> Mapping:
    """Report the problems of structure in a step, and return it without them."""
    return _Reader(diagnostics, platforms).step(node, path)


class _Reader:
    __slots__ = ("_diagnostics", "_platforms")

    def __init__(self, diagnostics: Diagnostics, platforms: Collection[Platform]) -> None:
        self._diagnostics = diagnostics
        self._platforms = platforms

    def step(self, node: Mapping, path: str) -> Mapping:
        """Return the step as it was meant."""
        for parent in _HOLDERS:
            entry = node.entries.get(parent)
            if entry and isinstance(entry[1], Mapping) and not _MOVED.isdisjoint(entry[1].entries):
                node = self._lifted(node, path, parent)
        if node.entries.keys() <= _KNOWN:
            return self._loop(node, path) if "loop" in node.entries else node
        fields = _inputs_of(node)
        moved: dict[str, list[str]] = {"inputs": [], "loop": [], "if": []}
        excused: list[str] = []

        def special(key: str, value: Node) -> bool:
            if key in fields:
                moved["inputs"].append(key)
            elif key in _LOOPS and _takes(node.value("loop"), _LOOPS):
                moved["loop"].append(key)
            elif _is_condition(node, key):
                moved["if"].append(key)
            else:
                return self._script(node, path, key, value, excused)
            return True

        found = keys.check(self._diagnostics, self._platforms, node, path, keys.STEP, special)
        for parent, children in moved.items():
            if children:
                found = self._moved(node, found, path, parent, children)
        keys.excuse(found, *excused)
        return self._loop(found, path)

    def _loop(self, step: Mapping, path: str) -> Mapping:
        """Return the step with the keys of its loop that were meant."""
        node = step.value("loop")
        if not isinstance(node, Mapping):
            return step
        parent, form, inner = "for", _COUNT_FORM, keys.COUNT.known
        if "delimiter" in node.entries:
            parent, form, inner = "forEach", _SPLIT_FORM, keys.SPLIT.known
        misplaced = [key for key in node.entries if key in inner]

        found = keys.check(
            self._diagnostics,
            self._platforms,
            node,
            f"{path}.loop",
            keys.LOOP,
            lambda key, _value: key in misplaced,
        )
        if misplaced:
            first = misplaced[0]
            subject = keys.listed(list(map(repr, misplaced)), "and")
            self._diagnostics.error(
                node.entries[first][0],
                f"{path}.loop.{first}",
                "misplaced-key",
                f"{subject} {'belong' if misplaced[1:] else 'belongs'} under {parent!r}",
                f"write {form}",
            )
            keys.excuse(found, "for")
        return step if found is node else keys.with_entry(step, "loop", found)

    def _lifted(self, step: Mapping, path: str, parent: str) -> Mapping:
        """Report keys of the step that are under ``parent``; return the step with them."""
        node = step.value(parent)
        if not isinstance(node, Mapping):
            return step
        own = _inputs_of(step) if parent == "inputs" else keys.LOOP.known
        lifted = [
            key
            for key in node.entries
            if key in keys.STEP.known and key not in own and key not in ("name", "action", parent)
        ]
        if not lifted:
            return step
        for key in lifted:
            where = node.entries[key][0]
            self._diagnostics.error(
                where,
                f"{path}.{parent}.{key}",
                "misplaced-key",
                f"{key!r} is a key of the step, not of {parent!r}",
                f"indent it like '{parent}:'"
                if key not in step.entries
                else keys.already(key, step.entries[key][0]),
            )
        inner = keys.with_entries(
            node, {key: entry for key, entry in node.entries.items() if key not in lifted}
        )
        outer = {key: node.entries[key] for key in lifted} | step.entries
        return keys.with_entry(keys.with_entries(step, outer), parent, inner)

    def _script(self, node: Mapping, path: str, key: str, value: Node, excused: list[str]) -> bool:
        """Report a key that names a program, as in Ansible's ``shell: echo``."""
        if not self._diagnostics.has_room(Severity.ERROR):
            return False
        message, hint = f"unknown key {quoted(key)}", self._script_hint(key, value)
        if hint and "action" in node.entries:
            hint = (
                "put the script under 'inputs', or remove it"
                if "inputs" in node.entries
                else "put the script under 'inputs', as in 'inputs: {commands: [\"echo hello\"]}'"
            )
        elif "action" in node.entries:
            return False
        else:
            message += ": a step names what it does in 'action'"
            hint = hint or self._action_hint(key)
        if not hint:
            return False
        if "name" not in node.entries and hint.startswith("write 'action:"):
            hint = hint.replace("write ", "write 'name: NAME', ", 1)
            excused.append("name")
        self._diagnostics.error(node.entries[key][0], f"{path}.{key}", "unknown-key", message, hint)
        excused += ["action", "inputs"]
        return True

    def _script_hint(self, key: str, value: Node) -> str:
        """Return how a script is written here; an empty string if ``key`` holds none."""
        found = advice.find("SCRIPT", key, (), self._platforms)
        if found is None:
            return ""
        if isinstance(value, Scalar) and value.text and "\n" not in value.text:
            return found.hint.replace('"echo hello"', declarations.flow_text(value.text))
        return found.hint

    def _action_hint(self, key: str) -> str:
        """Return how the action ``key`` is written; an empty string if it is none."""
        if advice.find(keys.STEP.words, key, keys.STEP.known, self._platforms):
            return ""
        action = next((name for name in ACTIONS if name.casefold() == key.casefold()), "")
        found = advice.find("ACTION", key, ACTIONS, self._platforms)
        action = action or (found.key if found else "")
        if action:
            return f"write 'action: {action}', and its inputs under 'inputs'"
        return f"write an 'action' and its 'inputs': {found.hint}" if found else ""

    def _moved(
        self, node: Mapping, found: Mapping, path: str, parent: str, children: list[str]
    ) -> Mapping:
        """Report keys that are next to ``parent``; return the step with them below it."""
        where = node.entries[children[0]][0]
        several = len(children) > 1
        subject = keys.listed(list(map(repr, children)), "and")
        belongs = "belong" if several else "belongs"
        if parent == "inputs":
            kind = "are inputs" if several else "is an input"
            belongs = f"{kind} of {_text(node, 'action')} and {belongs}"
        these = "them" if several else f"{children[0]!r} and the lines that belong to it"
        self._diagnostics.error(
            where,
            f"{path}.{children[0]}",
            "misplaced-key",
            f"{subject} {belongs} under {parent!r}",
            f"indent {these} by two spaces more than '{parent}:'"
            if parent in node.entries
            else f"write '{parent}:' above {children[0]!r}, and indent {these} by two spaces more",
        )
        old = found.value(parent)
        last = old.items[-1] if isinstance(old, Sequence) and old.items else old
        into = Mapping(where.line, where.column)
        into.entries = {key: node.entries[key] for key in children}
        if isinstance(last, Mapping):
            into.entries = last.entries | into.entries
        if not isinstance(old, Sequence):
            return keys.with_entry(found, parent, into)
        listed = Sequence(old.line, old.column)
        listed.items = [*old.items[:-1], into]
        return keys.with_entry(found, parent, listed)


def _takes(parent: Node | None, missing: Collection[str]) -> bool:
    """Whether keys next to ``parent`` can have been meant to be below it."""
    if parent is None:
        return True
    return isinstance(parent, Mapping) and not set(missing) & set(parent.entries)


def _is_condition(step: Mapping, key: str) -> bool:
    """Whether ``key`` is part of a condition that is next to ``if`` instead of below it."""
    node = step.value("if")
    if node is None:
        return key in _OPERATORS or (
            key in _PARTS and any(other in _OPERATORS for other in step.entries)
        )
    return isinstance(node, Mapping) and key in _PARTS and key not in node.entries


def _inputs_of(step: Mapping) -> Collection[str]:
    """Return the names of the inputs of a step's action, if it is known."""
    action = _text(step, "action")
    row = ACTIONS.get(action)
    if row is None:
        return ()
    if row.shape is not Shape.CONDITION:
        return schema.schema(action).fields
    return _OPERATORS | {"value", "path"}


def _text(node: Mapping, key: str) -> str:
    value = node.value(key)
    return value.text if isinstance(value, Scalar) else ""
