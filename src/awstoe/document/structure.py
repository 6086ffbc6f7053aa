"""Reads the structure of a document as its author meant it, before anything else is checked.

A wrong key, a missing dash or a wrong indentation is one problem, with the form to write. The rest
of the parser receives the tree that was meant, so that nothing which follows from such a problem is
reported as well, and everything else in the document is still checked.
"""

from collections.abc import Callable, Collection
from typing import Final

from awstoe.document import advice, declarations, keys, step_structure
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform

SCHEMA_VERSIONS: Final = frozenset({"1.0", "1"})


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
        outside: list[tuple[Scalar, Node]] = []

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
            if key == "steps" and (lacking := _last(root.value("phases"), "steps")) is not None:
                self._not_below(lacking, {key: root.entries[key]}, "", "phase")
                outside.append(root.entries[key])
                return True
            return key == "version" and self._version(root, where, value)

        found = keys.check(self._diagnostics, self._platforms, root, "", keys.DOCUMENT, special)
        if phases:
            listed = Sequence(phases[0].line, phases[0].column)
            listed.items = phases
            found = keys.with_entry(found, "phases", listed)
        if outside:
            joined = _with_last(found.value("phases"), {"steps": outside[0]})
            found = keys.with_entry(found, "phases", joined)
        for section in ("parameters", "constants"):
            if section in found.entries:
                found = self._phases_in(found, section)
                node = declarations.as_meant(
                    self._diagnostics, self._platforms, found.entries[section][1], section
                )
                found = keys.with_entry(found, section, node)
        if "phases" in found.entries:
            node = self._list(found.entries["phases"][1], "phases", keys.PHASE, self._phase)
            found = keys.with_entry(found, "phases", node)
        return found

    def _phases_in(self, root: Mapping, section: str) -> Mapping:
        """Report phases in a list of parameters or constants; return the document with them."""
        node = root.entries[section][1]
        if "phases" in root.entries or not isinstance(node, Sequence):
            return root
        phases = [item for item in node.items if _has_steps(item)]
        if not phases:
            return root
        self._diagnostics.error(
            phases[0],
            section,
            "misplaced-key",
            f"a phase is in the list of {section}",
            "write 'phases:' above it",
        )
        listed, others = (
            Sequence(phases[0].line, phases[0].column),
            Sequence(node.line, node.column),
        )
        listed.items = phases
        others.items = [item for item in node.items if not _has_steps(item)]
        return keys.with_entry(keys.with_entry(root, section, others), "phases", listed)

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
            for position, item in enumerate(self._joined(node, path, level))
        ]
        return found

    def _joined(self, node: Sequence, path: str, level: keys.Level) -> list[Node]:
        """Return the entries of a list, after joining those that are parts of one."""
        what, needed = (
            ("phase", {"steps"}) if level is keys.PHASE else ("step", {"action", "inputs"})
        )
        joined: list[Node] = []
        reported = False
        for position, item in enumerate(node.items):
            whole = joined[-1] if joined else None
            if not (
                isinstance(item, Mapping)
                and "name" not in item.entries
                and isinstance(whole, Mapping)
                and "name" in whole.entries
                and not needed <= whole.entries.keys()
                and item.entries
                and item.entries.keys() <= set(level.known) - whole.entries.keys()
            ):
                joined.append(item)
                reported = False
                continue
            joined[-1] = keys.with_entries(whole, whole.entries | item.entries)
            if not reported:
                reported = True
                self._diagnostics.error(
                    item,
                    f"{path}[{position}]",
                    "split-entry",
                    f"the '-' starts another {what}, which has no 'name'",
                    f"remove the '- ' before each key of the {what} except 'name', and start the"
                    f" keys in column {whole.column}",
                )
        return joined

    def _not_below(
        self, lacking: Mapping, entries: dict[str, tuple[Scalar, Node]], path: str, what: str
    ) -> None:
        """Report keys of the last phase or step that are too far left."""
        first = next(iter(entries))
        several = len(entries) > 1
        name = lacking.value("name")
        shown = f" {quoted(name.text)}" if isinstance(name, Scalar) and name.text else ""
        self._diagnostics.error(
            entries[first][0],
            f"{path}.{first}" if path else first,
            "misplaced-key",
            f"{keys.listed(list(map(repr, entries)), 'and')} {'belong' if several else 'belongs'}"
            f" to the {what}{shown}, but {'are' if several else 'is'} not indented like its 'name'",
            f"move {'these keys' if several else repr(first)} to column {lacking.column}, and the"
            f" lines below {'them' if several else 'it'} by as many columns",
        )

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
            hint = f"put '- ' before {quoted(first)}, and indent its other keys to its column"
            if node.flow:
                hint = f"write a list: '{name}: [{{...}}]'"
            elif "name" not in folded:
                hint = (
                    f"write '- name: NAME' above {quoted(first)}, and indent the keys to its column"
                )
                nameless = keys.with_entries(node, node.entries)
                keys.excuse(nameless, "name")
                found.items = [nameless]
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
            if advice.find("SCRIPT", key, (), self._platforms):
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

        last = _last(node.value("steps"))
        outside = {
            key: entry
            for key, entry in node.entries.items()
            if last is not None and key in keys.STEP.known and key not in last.entries
        }
        if last is not None and outside.keys() & {"action", "inputs"}:
            self._not_below(last, outside, path, "step")
            inside = {key: entry for key, entry in node.entries.items() if key not in outside}
            node = keys.with_entries(node, inside)
            node = keys.with_entry(node, "steps", _with_last(node.value("steps"), outside))
        found = keys.check(self._diagnostics, self._platforms, node, path, keys.PHASE, special)
        if stepless or scripts:
            keys.excuse(found, "steps")
        if "steps" in found.entries:
            steps = self._list(found.entries["steps"][1], f"{path}.steps", keys.STEP, self._step)
            found = keys.with_entry(found, "steps", steps)
        return found

    def _step(self, node: Mapping, path: str) -> Mapping:
        return step_structure.as_meant(self._diagnostics, self._platforms, node, path)


def _last(node: Node | None, lacking: str = "") -> Mapping | None:
    """Return the last entry of a list if it is a mapping, and does not have the key ``lacking``."""
    last = node.items[-1] if isinstance(node, Sequence) and node.items else None
    return last if isinstance(last, Mapping) and lacking not in last.entries else None


def _with_last(node: Node | None, entries: dict[str, tuple[Scalar, Node]]) -> Sequence:
    """Return a list with more entries in its last mapping."""
    assert isinstance(node, Sequence)  # noqa: S101 - ``_last`` has found the mapping
    last = node.items[-1]
    assert isinstance(last, Mapping)  # noqa: S101 - as above
    found = Sequence(node.line, node.column, flow=node.flow)
    found.items = [*node.items[:-1], keys.with_entries(last, last.entries | entries)]
    return found


def _has_steps(node: Node) -> bool:
    return isinstance(node, Mapping) and "steps" in node.entries


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
