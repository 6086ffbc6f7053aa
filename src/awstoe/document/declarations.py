"""Reads the structure of parameters and constants as their author meant it."""

from collections.abc import Collection
from typing import Final

from awstoe.document import advice, keys
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.keys import Level
from awstoe.document.names import variable_problem
from awstoe.document.problems import Severity
from awstoe.document.syntax.nodes import HIDDEN, Mapping, Node, Scalar, Sequence, describe
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform
from awstoe.late_patterns import pattern

_PLAIN: Final = pattern(r"[A-Za-z_./][A-Za-z0-9_./-]*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def as_meant(
    diagnostics: Diagnostics, platforms: Collection[Platform], node: Node, section: str
) -> Node:
    """Report problems of structure in ``parameters`` or ``constants``; return it without them."""
    reader = _Reader(diagnostics, platforms, section)
    if isinstance(node, Mapping):
        return reader.holder(node, section)
    if not isinstance(node, Sequence):
        return node
    found = Sequence(node.line, node.column, flow=node.flow)
    found.items = [
        reader.entry(item, f"{section}[{position}]") for position, item in enumerate(node.items)
    ]
    return found


def flow_text(text: str) -> str:
    """Return ``text`` as it is written in a line of YAML."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    if text.isprintable() and not set('"\\') & set(text):
        return f'"{text}"'
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _Reader:
    __slots__ = ("_diagnostics", "_kind", "_level", "_platforms", "_section")

    def __init__(
        self, diagnostics: Diagnostics, platforms: Collection[Platform], section: str
    ) -> None:
        self._diagnostics = diagnostics
        self._platforms = platforms
        self._section = section
        self._kind = section[:-1]
        self._level: Level = keys.PARAMETER if section == "parameters" else keys.CONSTANT

    def entry(self, node: Node, path: str) -> Node:
        """Return an entry of the section, when it is a list."""
        if isinstance(node, Mapping):
            only = node.value("name") if len(node.entries) == 1 else None
            if isinstance(only, Scalar) and not variable_problem(only.text, self._kind):
                return self._under_its_name(node, path)
            return self.holder(node, path)
        if isinstance(node, Scalar) and not node.is_null and "\n" not in node.text:
            name = node.text.split("=", 1)[0].split(":", 1)[0].strip()
            known = not variable_problem(name, self._kind)
            value = node.text[len(name) :].lstrip("=: ") if known else ""
            declared = self._declared(name, node, value)
            self._error(
                node,
                path,
                f"an entry of {self._section!r}: expected a mapping, got {describe(node)}",
                f"write '- {self._form(name if known else 'NAME', declared)}'",
            )
            return _holder(name, node, declared) if known else Mapping(node.line, node.column)
        return node

    def holder(self, node: Mapping, path: str) -> Mapping:
        """Return a mapping of names to declarations."""
        entries = node.entries
        own = [key for key in entries if self._is_own(key) and not self._is_body(node, key)]
        others = [key for key in entries if key not in own]
        if not own:
            return self._bodies(node, path)
        if others == ["name"] and not self._is_body(node, "name"):
            return self._under_its_name(node, path)
        if len(others) == 1 and isinstance(node.value(others[0]), Mapping | None):
            return self._not_indented(node, path, others[0], own)
        if not others:
            self._error(
                entries[own[0]][0],
                f"{path}.{own[0]}",
                f"a {self._kind} has no name",
                f"write '- {self._form('NAME', node)}'",
            )
            found = Mapping(node.line, node.column)
            keys.excuse(found, HIDDEN)
            return found
        return self._bodies(node, path)

    def _is_own(self, key: str) -> bool:
        """Whether ``key`` is one of a declaration, or a word for one."""
        known, words = self._level.known, self._level.words
        return key in known or advice.find(words, key, known, self._platforms) is not None

    def _is_body(self, node: Mapping, key: str) -> bool:
        return isinstance(node.entries[key][1], Mapping)

    def _under_its_name(self, node: Mapping, path: str) -> Mapping:
        """Report ``name: X`` next to ``type``; return ``X: {type: ...}``."""
        where, value = node.entries["name"]
        name = value.text if isinstance(value, Scalar) and not value.is_null else "NAME"
        body = keys.with_entries(
            node, {key: entry for key, entry in node.entries.items() if key != "name"}
        )
        self._error(
            where,
            f"{path}.name",
            f"{self._section!r}: expected the name of the {self._kind} as a key, got"
            f" 'name: {name}'",
            f"write '- {self._form(name, body)}'",
        )
        keys.excuse(body, *self._level.known)
        return _holder(name, value, body)

    def _not_indented(self, node: Mapping, path: str, name: str, own: list[str]) -> Mapping:
        """Report keys that are next to the name instead of below it."""
        where = node.entries[name][0]
        subject = " and ".join(map(repr, own))
        self._error(
            node.entries[own[0]][0],
            f"{path}.{own[0]}",
            f"{subject} {'are' if len(own) > 1 else 'is'} next to the {self._kind} {quoted(name)},"
            " not below it",
            f"indent {'these lines' if len(own) > 1 else 'the line'} by two spaces more than"
            f" '{name}:'",
        )
        below = node.value(name)
        entries = below.entries if isinstance(below, Mapping) else {}
        body = keys.with_entries(node, entries | {key: node.entries[key] for key in own})
        return _holder(name, where, body)

    def _bodies(self, node: Mapping, path: str) -> Mapping:
        found: dict[str, tuple[Scalar, Node]] = {}
        for name, (where, body) in node.entries.items():
            found[name] = (where, self._body(name, body, f"{path}.{name}"))
        return keys.with_entries(node, found)

    def _body(self, name: str, body: Node, path: str) -> Node:
        if isinstance(body, Mapping):
            return keys.check(self._diagnostics, self._platforms, body, path, self._level)
        text = body.text if isinstance(body, Scalar) and not body.is_null else ""
        declared = self._declared(name, body, text)
        self._error(
            body,
            path,
            f"the {self._kind} {quoted(name)}: expected a mapping, got {describe(body)}",
            f"write '{self._form(name, declared)}'",
        )
        return declared

    def _declared(self, name: str, where: Node, value: str) -> Mapping:
        """Return the declaration of a name with a value."""
        del name
        found = Mapping(where.line, where.column)
        key = self._level.known[1]
        found.entries["type"] = (keys.word("type", where), keys.word("string", where))
        if value:
            found.entries[key] = (keys.word(key, where), keys.word(value, where))
        else:
            keys.excuse(found, key)
        return found

    def _form(self, name: str, body: Mapping) -> str:
        """Return how the declaration is written; it is not needed if it will not be shown."""
        if not self._diagnostics.has_room(Severity.ERROR):
            return ""
        parts = ["type: string"]
        for key, (_, value) in body.entries.items():
            if key != "type" and isinstance(value, Scalar) and not value.is_null:
                known = self._level.known[1] if key in ("value", "default") else key
                parts.append(f"{known}: {flow_text(value.text)}")
        if self._section == "constants" and not any(p.startswith("value:") for p in parts):
            parts.append("value: VALUE")
        return f"{name}: {{{', '.join(parts)}}}"

    def _error(self, where: Node, path: str, message: str, hint: str) -> None:
        self._diagnostics.error(where, path, "wrong-type", message, hint)


def _holder(name: str, where: Node, body: Mapping) -> Mapping:
    found = Mapping(where.line, where.column)
    found.entries = {name: (keys.word(name, where), body)}
    return found
