"""Reads the structure of a document as its author meant it, before anything else is checked.

A wrong key, a missing dash or a wrong indentation is one problem, with the form to write. The rest
of the parser receives the tree that was meant, so that nothing which follows from such a problem is
reported as well, and everything else in the document is still checked.
"""

from collections.abc import Callable, Collection
from typing import Final

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS, Shape
from awstoe.document import advice, declarations, foreign_words, keys
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions import conditions
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform

SCHEMA_VERSIONS: Final = frozenset({"1.0", "1"})

_LOOPS: Final = ("for", "forEach")
_COUNT_FORM: Final = "'for: {start: 1, end: 3, updateBy: 1}'"
_SPLIT_FORM: Final = '\'forEach: {list: "a,b", delimiter: ","}\''
_PARTS: Final = ("value", "path", "then", "else")


def as_meant(diagnostics: Diagnostics, platforms: Collection[Platform], root: Mapping) -> Mapping:
    """Report the problems of structure in a document, and return its tree without them."""
    return _Structure(diagnostics, platforms).document(root)


class _Structure:
    __slots__ = ("_diagnostics", "_platforms")

    def __init__(self, diagnostics: Diagnostics, platforms: Collection[Platform]) -> None:
        self._diagnostics = diagnostics
        self._platforms = platforms

    def document(self, root: Mapping) -> Mapping:
        """Return the document as it was meant."""
        phases: list[Node] = []

        def special(key: str, value: Node) -> bool:
            where = root.entries[key][0]
            if key == "steps" and "phases" not in root.entries:
                phases.append(_phase("build", where, value))
                self._diagnostics.error(
                    where,
                    key,
                    "misplaced-key",
                    "'steps' is not inside a phase",
                    "write 'phases:' above it, '- name: build' below that, and indent 'steps'"
                    " and its lines to the column of 'name'",
                )
                return True
            return key == "version" and self._version(root, where, value)

        found = keys.check(self._diagnostics, self._platforms, root, "", keys.DOCUMENT, special)
        if phases:
            listed = Sequence(phases[0].line, phases[0].column)
            listed.items = phases
            found = keys.with_entry(found, "phases", listed)
        for section in ("parameters", "constants"):
            if section in found.entries:
                node = declarations.as_meant(
                    self._diagnostics, self._platforms, found.entries[section][1], section
                )
                found = keys.with_entry(found, section, node)
        if "phases" in found.entries:
            node = self._list(found.entries["phases"][1], "phases", keys.PHASE, self._phase)
            found = keys.with_entry(found, "phases", node)
        return found

    def _version(self, root: Mapping, where: Scalar, value: Node) -> bool:
        """Report a 'version' without a 'schemaVersion'; return whether that is so."""
        if any(advice.fold(key) == "schemaversion" for key in root.entries):
            return False
        meant = isinstance(value, Scalar) and value.text in SCHEMA_VERSIONS
        self._diagnostics.error(
            where,
            "version",
            "missing-key",
            "the document has no 'schemaVersion', which is required, but a 'version'",
            "rename 'version' to 'schemaVersion'"
            if meant
            else "add 'schemaVersion: 1.0', and remove 'version', which has no effect",
        )
        keys.excuse(root, "schemaVersion")
        return True

    def _list(
        self,
        node: Node,
        path: str,
        level: keys.Level,
        read: Callable[[Mapping, str], Mapping],
    ) -> Node:
        """Return a list of phases or steps as it was meant."""
        if isinstance(node, Mapping):
            node = self._without_dashes(node, path, level)
        if not isinstance(node, Sequence):
            return node
        found = Sequence(node.line, node.column, flow=node.flow)
        found.items = [
            read(item, f"{path}[{position}]") if isinstance(item, Mapping) else item
            for position, item in enumerate(node.items)
        ]
        return found

    def _without_dashes(self, node: Mapping, path: str, level: keys.Level) -> Node:
        """Report a mapping in place of a list; return the list, or ``node`` if it is unclear."""
        what = "phase" if level is keys.PHASE else "step"
        name = path.rpartition(".")[2]
        found = Sequence(node.line, node.column)
        folded = {advice.fold(key): key for key in node.entries}
        own = [key for key in level.known if advice.fold(key) in folded]
        if own:
            first = next(iter(node.entries))
            found.items = [node]
            hint = (
                f"write a list: '{name}: [{{...}}]'"
                if node.flow
                else f"put '- ' before {quoted(first)}, and indent the other keys of the {what} to"
                " its column"
            )
        else:
            for key, (where, value) in node.entries.items():
                item = _named(key, where, value, what)
                if item is None:
                    return node
                found.items.append(item)
            first = next(iter(node.entries), "NAME")
            hint = (
                f"write each {what} as an entry of a list: '- name: {first}' in place of"
                f" '{first}:', and its keys below 'name'"
            )
        self._diagnostics.error(
            node, path, "wrong-type", f"{name!r}: expected a list, got a mapping", hint
        )
        return found

    def _phase(self, node: Mapping, path: str) -> Mapping:
        stepless = "steps" not in node.entries and "action" in node.entries

        scripts: list[str] = []

        def special(key: str, _value: Node) -> bool:
            if advice.find(foreign_words.SCRIPT, key, (), self._platforms):
                scripts.append(key)
            if stepless and key == "action":
                self._diagnostics.error(
                    node.entries[key][0],
                    f"{path}.{key}",
                    "misplaced-key",
                    "a step is directly under 'phases', not in the 'steps' of a phase",
                    "write '- name: build' and 'steps:' above it, and indent the step below"
                    " 'steps'",
                )
            return stepless and key in keys.STEP.known

        found = keys.check(self._diagnostics, self._platforms, node, path, keys.PHASE, special)
        if stepless or scripts:
            keys.excuse(found, "steps")
        if "steps" in found.entries:
            steps = self._list(found.entries["steps"][1], f"{path}.steps", keys.STEP, self._step)
            found = keys.with_entry(found, "steps", steps)
        return found

    def _step(self, node: Mapping, path: str) -> Mapping:
        if all(key in keys.STEP.known for key in node.entries):
            return self._loop(node, path)
        fields = _inputs_of(node)
        moved: dict[str, list[str]] = {"inputs": [], "loop": [], "if": []}
        excused: list[str] = []

        def special(key: str, value: Node) -> bool:
            if key in fields:
                moved["inputs"].append(key)
            elif key in _LOOPS and node.value("loop") is None:
                moved["loop"].append(key)
            elif _is_condition(node, key) and node.value("if") is None:
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

    def _script(self, node: Mapping, path: str, key: str, value: Node, excused: list[str]) -> bool:
        """Report a key that names a program, as in Ansible's ``shell: echo``."""
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
        self._diagnostics.error(node.entries[key][0], f"{path}.{key}", "unknown-key", message, hint)
        excused += ["action", "inputs"]
        return True

    def _script_hint(self, key: str, value: Node) -> str:
        """Return how a script is written here; an empty string if ``key`` holds none."""
        found = advice.find(foreign_words.SCRIPT, key, (), self._platforms)
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
        found = advice.find(foreign_words.ACTION, key, ACTIONS, self._platforms)
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


def _is_condition(step: Mapping, key: str) -> bool:
    """Whether ``key`` is part of a condition that is next to ``if`` instead of below it."""
    if key in conditions.OPERATORS or key in conditions.LOGICAL:
        return True
    return key in _PARTS and any(other in conditions.OPERATORS for other in step.entries)


def _inputs_of(step: Mapping) -> Collection[str]:
    """Return the names of the inputs of a step's action, if it is known."""
    action = _text(step, "action")
    row = ACTIONS.get(action)
    if row is None:
        return ()
    return () if row.shape is Shape.CONDITION else schema.schema(action).fields


def _text(node: Mapping, key: str) -> str:
    value = node.value(key)
    return value.text if isinstance(value, Scalar) else ""


def _phase(name: str, where: Scalar, steps: Node) -> Mapping:
    phase = Mapping(where.line, where.column)
    phase.entries = {
        "name": (keys.word("name", where), keys.word(name, where)),
        "steps": (where, steps),
    }
    return phase


def _named(name: str, where: Scalar, value: Node, what: str) -> Mapping | None:
    """Return the phase or step that is written as ``name: {...}``; None if it is not one."""
    if what == "phase" and isinstance(value, Sequence):
        return _phase(name, where, value)
    if not isinstance(value, Mapping):
        return None
    key = (keys.word("name", where), keys.word(name, where))
    return keys.with_entries(value, {"name": key} | value.entries)
