"""Builds the tree of a document: scalars, sequences and mappings with their positions.

Nothing is typed here: a scalar is its text in the file. ``TreeBuilder`` builds the tree from the
events of a reader and enforces the limits of a tree for every syntax: depth, number of nodes (each
use of an alias counts all nodes of its anchor), unique keys.
"""

from typing import Final, TypeAlias

from awstoe import limits
from awstoe.document.diagnostics import Located, Unreadable
from awstoe.document.problems import Severity
from awstoe.document.suggestions import closest
from awstoe.expressions.values import Value, quoted

HIDDEN: Final = ""
"""In ``Mapping.excused``: the mapping hides something whose name is not known."""
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class Scalar:
    """A piece of text.

    Attributes:
        text: As written in the file, quotes and escapes resolved.
        plain: Whether it is written without quotes.
        line: From 1.
        column: From 1.
        style: How it is written: ``'``, ``"``, ``|`` or ``>``; empty without any of them.
        start: Its offset in the document's text, with its tag and anchor.
        end: The offset of its end.
    """

    __slots__ = ("column", "end", "line", "plain", "start", "style", "text")

    def __init__(
        self,
        text: str,
        *,
        plain: bool,
        line: int,
        column: int,
        style: str = "",
        start: int = 0,
        end: int = 0,
    ) -> None:
        self.text = text
        self.plain = plain
        self.line = line
        self.column = column
        self.style = style
        self.start = start
        self.end = end

    @property
    def is_null(self) -> bool:
        """Whether it is a YAML null."""
        return self.plain and self.text in _NULLS


class Sequence:
    """A list.

    Attributes:
        items: Its entries.
        line: From 1.
        column: From 1.
        flow: Whether it is YAML in brackets.
    """

    __slots__ = ("column", "flow", "items", "line")

    def __init__(self, line: int, column: int, *, flow: bool = False) -> None:
        self.items: list[Node] = []
        self.line = line
        self.column = column
        self.flow = flow


class Mapping:
    """A mapping whose keys are strings.

    Attributes:
        entries: Key and value by the key's text, in the order of the file.
        line: From 1.
        column: From 1.
        flow: Whether it is YAML in braces.
        excused: Keys whose absence is part of a problem that has been reported.
    """

    __slots__ = ("column", "entries", "excused", "flow", "line")

    def __init__(self, line: int, column: int, *, flow: bool = False) -> None:
        self.entries: dict[str, tuple[Scalar, Node]] = {}
        self.line = line
        self.column = column
        self.flow = flow
        self.excused: frozenset[str] = frozenset()

    def value(self, key: str) -> "Node | None":
        """Return the value of ``key``, or None if it is missing or a YAML null."""
        entry = self.given(key)
        return None if entry is None else entry[1]

    def given(self, key: str) -> "tuple[Scalar, Node] | None":
        """Return the key and value of ``key``, or None if it is missing or a YAML null."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        node = entry[1]
        return None if isinstance(node, Scalar) and node.plain and node.text in _NULLS else entry

    def key(self, key: str) -> Located:
        """Return the position of ``key``, or of the mapping if it has no such key."""
        entry = self.entries.get(key)
        return self if entry is None else entry[0]


Node: TypeAlias = Scalar | Sequence | Mapping


def describe(node: Node | None) -> str:
    """Return what ``node`` is, as text for the author of a document."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node is None or node.is_null:
        return "nothing"
    return quoted(node.text)


def value_of(node: Node) -> Value:
    """Return the value of ``node``; scalars are strings, or None for a YAML null."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        return [value_of(item) for item in node.items]
    return {key: value_of(value) for key, (_, value) in node.entries.items()}


class Fault:
    """A problem with the tree that does not hide the rest of it.

    Attributes:
        severity: As in ``Problem``.
        code: As in ``Problem``.
        path: As in ``Problem``.
        message: As in ``Problem``.
        hint: As in ``Problem``.
        line: As in ``Problem``.
        column: As in ``Problem``.
    """

    __slots__ = ("code", "column", "hint", "line", "message", "path", "severity")

    def __init__(
        self, severity: Severity, code: str, path: str, where: Located, message: str, hint: str
    ) -> None:
        self.severity = severity
        self.code = code
        self.path = path
        self.message = message
        self.hint = hint
        self.line = where.line
        self.column = where.column


class _Frame:
    """A collection that has not ended yet."""

    __slots__ = ("anchor", "before", "duplicate", "height", "key", "node")

    def __init__(self, node: Sequence | Mapping, anchor: str | None, before: int) -> None:
        self.node = node
        self.anchor = anchor
        self.before = before
        self.height = 1
        self.key: Scalar | None = None
        self.duplicate: Fault | None = None


class _Anchored:
    """The target of an alias; it has no node until it has ended."""

    __slots__ = ("height", "node", "size")

    def __init__(self, node: Node | None, size: int, height: int) -> None:
        self.node = node
        self.size = size
        self.height = height


class TreeBuilder:
    """Builds a tree from events.

    Attributes:
        root: The tree, after its last event.
        faults: Its problems.
    """

    __slots__ = ("_anchors", "_count", "_stack", "_unused", "faults", "root")

    def __init__(self) -> None:
        self._unused: dict[str, Fault] = {}
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._count = 0

    def scalar(self, node: Scalar, anchor: str | None = None) -> None:
        """Add a scalar.

        Raises:
            Unreadable: There are too many nodes.
        """
        self._grow(1, node)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, 1, 0)
            if node.plain and node.text:
                self._expect_alias(anchor, node)
        self._place(node)

    def open(self, node: Sequence | Mapping, anchor: str | None = None) -> None:
        """Start a collection.

        Raises:
            Unreadable: There are too many nodes, or they are nested too deeply.
        """
        frame = _Frame(node, anchor, self._count)
        self._grow(1, node)
        self._stack.append(frame)
        if len(self._stack) > limits.DOCUMENT_DEPTH:
            raise _too_deep(node)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(None, 0, 0)

    def close(self) -> None:
        """End the innermost collection."""
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchored(
                frame.node, self._count - frame.before, frame.height
            )
        if self._stack and self._stack[-1].height <= frame.height:
            self._stack[-1].height = frame.height + 1
        if isinstance(frame.node, Mapping) and "<<" in frame.node.entries:
            self._merge(frame.node)
        self._place(frame.node)

    def alias(self, name: str, where: Located) -> None:
        """Add an anchored node again.

        Raises:
            Unreadable: The anchor does not exist, contains itself, or there are too many nodes.
        """
        found = self._anchors.get(name)
        if found is None:
            near = closest(name, self._anchors)
            raise Unreadable(
                "unknown-alias",
                f"the alias '*{name}' has no anchor '&{name}' before it",
                hint=f"did you mean '*{near}'?" if near else "quote a string that starts with '*'",
                line=where.line,
                column=where.column,
            )
        if found.node is None:
            raise Unreadable(
                "recursive-alias",
                f"the alias '*{name}' is inside its own anchor '&{name}'",
                line=where.line,
                column=where.column,
            )
        self._unused.pop(name, None)
        self._grow(found.size, where)
        if len(self._stack) + found.height > limits.DOCUMENT_DEPTH:
            raise _too_deep(where)
        if self._stack and self._stack[-1].height <= found.height:
            self._stack[-1].height = found.height + 1
        self._place(found.node, where)

    def fault(
        self, severity: Severity, code: str, where: Located, message: str, hint: str = ""
    ) -> None:
        """Add a problem with the next node."""
        self.faults.append(Fault(severity, code, self._path(), where, message, hint))

    def end(self) -> None:
        """End the document: report what only its end shows."""
        self.faults += self._unused.values()

    def _expect_alias(self, anchor: str, node: Scalar) -> None:
        """Report at the end that no alias uses ``anchor``: it may have been meant as text."""
        if anchor in self._unused:
            self.faults.append(self._unused[anchor])
        self._unused[anchor] = Fault(
            Severity.WARNING,
            "unused-anchor",
            self._path(),
            node,
            f"'&{anchor}' is a YAML anchor and not part of the value; no alias uses it",
            "quote the string if it starts with '&', and otherwise remove the anchor",
        )

    def _grow(self, size: int, where: Located) -> None:
        self._count += size
        if self._count > limits.DOCUMENT_NODES:
            raise Unreadable(
                "too-many-nodes",
                f"the document has more than {limits.DOCUMENT_NODES:,} nodes;"
                " each use of an alias counts",
                line=where.line,
                column=where.column,
            )

    def _place(self, node: Node, where: Located | None = None) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        holder = frame.node
        if isinstance(holder, Sequence):
            holder.items.append(node)
        elif frame.key is None:
            frame.key = self._as_key(node, where or node)
        else:
            key = frame.key
            frame.key = None
            if isinstance(node, Scalar) and not node.text and node.plain:
                # A missing value has no position of its own: use that of its key.
                node = Scalar(
                    "",
                    plain=True,
                    line=key.line,
                    column=key.column,
                    start=node.start,
                    end=node.end,
                )
            if key.line:
                first = holder.entries.setdefault(key.text, (key, node))
                if first[0] is not key:
                    self._duplicate(frame, holder, key, first)
                    if isinstance(first[1], Scalar) and first[1].is_null:
                        holder.entries[key.text] = (key, node)

    def _duplicate(
        self, frame: _Frame, holder: Mapping, key: Scalar, first: tuple[Scalar, Node]
    ) -> None:
        """Report a key that is there already; several in one mapping are one problem."""
        if frame.duplicate is None:
            frame.duplicate = Fault(
                Severity.ERROR,
                "duplicate-key",
                _under(self._path(), key.text),
                key,
                f"duplicate key {quoted(key.text)}",
                f"the first one is on line {first[0].line}: remove one of them",
            )
            self.faults.append(frame.duplicate)
            holder.excused = holder.excused | {HIDDEN}
        else:
            name = frame.duplicate.path.rpartition(".")[2]
            frame.duplicate.hint = (
                f"write '- ' before {name!r} if another entry of the list starts there, or remove"
                " the keys that are there twice"
            )

    def _as_key(self, node: Node, where: Located) -> Scalar:
        """Return ``node`` as a key; after reporting a problem, return a key without a line."""
        if isinstance(node, Scalar) and not node.is_null:
            if where is node:
                return node
            return Scalar(node.text, plain=node.plain, line=where.line, column=where.column)
        hint = "quote a string that starts with '{'" if isinstance(node, Mapping) else ""
        self.fault(
            Severity.ERROR,
            "bad-key",
            where,
            f"expected a string as a key, got {describe(node)}",
            hint,
        )
        return Scalar("", plain=False, line=0, column=0)

    def _merge(self, node: Mapping) -> None:
        """Replace ``<<`` with the entries of its value; the node's own entries take precedence."""
        key, merged = node.entries["<<"]
        if not key.plain:
            return
        del node.entries["<<"]
        for source in merged.items if isinstance(merged, Sequence) else [merged]:
            if not isinstance(source, Mapping):
                self.fault(
                    Severity.ERROR,
                    "bad-merge",
                    key,
                    "the merge key '<<': expected a mapping or a list of mappings,"
                    f" got {describe(source)}",
                )
                return
            self._grow(len(source.entries), key)
            for name, entry in source.entries.items():
                node.entries.setdefault(name, entry)

    def _path(self) -> str:
        """Return the path of the next node."""
        path = ""
        for frame in self._stack:
            if isinstance(frame.node, Sequence):
                path += f"[{len(frame.node.items)}]"
            elif frame.key is not None and frame.key.line:
                path = _under(path, frame.key.text)
        return path


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _too_deep(where: Located) -> Unreadable:
    return Unreadable(
        "too-deep",
        f"the document is nested more than {limits.DOCUMENT_DEPTH} levels deep",
        line=where.line,
        column=where.column,
    )
