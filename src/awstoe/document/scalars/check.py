"""Checks the scalars of a document for texts that are not what their author sees.

Other parts of the parser pass every input, condition and variable to ``ScalarCheck``, which reports
what is suspicious. Most of that is a warning: the document says something, although probably not
what was meant.
"""

from bisect import bisect_right
from typing import Final

from awstoe.actions.fields import Field, Program, Script, TextList
from awstoe.actions.permissions import Permissions, decimal_mode
from awstoe.document.declarations import flow_text
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.model import Mark
from awstoe.document.problems import Severity
from awstoe.document.scalars import commands, escapes, shell_text
from awstoe.document.scalars.finding import Finding
from awstoe.document.syntax import encoding
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions.values import quoted
from awstoe.host.files import paths
from awstoe.host.platforms import Platform
from awstoe.late_patterns import pattern

_EMPTY_TAG: Final = pattern(r"""(?:&\S+\s+)?!(?=[\s"'|>]|$)""")
_ANY_TAG: Final = pattern(r"(?<![^\s\[{,:])!(?=\s)")
_TAG_OR_ANCHOR: Final = ("!", "&")
_ENTRY: Final = pattern(r"\n[ \t]*(?=- )")
_REST: Final = 200
"""Characters of a comment that are read."""
_PROGRAM_AND_OPTION: Final = pattern(r"([^\s'\"]+(?: [^\s'\"-][^\s'\"]*)*?)\s+(-{1,2}[A-Za-z].*)")
_OPTION_AND_VALUE: Final = pattern(r"--?[A-Za-z][\w-]*\s+[^\s'\"{}=]+")
_CURLY: Final = pattern("^([\u2018\u201c\u201e]).*[\u2018-\u201d]$")


class ScalarCheck:
    """Checks the scalars of one document.

    Args:
        diagnostics: Collects the problems.
        text: The document's text.
        platforms: The platforms to validate the document for.
    """

    __slots__ = ("_breaks", "_diagnostics", "_json", "_platforms", "_reported", "_text")

    def __init__(
        self, diagnostics: Diagnostics, text: str, platforms: tuple[Platform, ...]
    ) -> None:
        self._diagnostics = diagnostics
        self._text = text
        self._json = text.lstrip()[:1] in ("{", "[")
        self._platforms = platforms
        self._breaks: list[int] = []
        self._reported: set[int] = set()

    def input(self, field: Field, node: Node, path: str) -> None:
        """Check the value of an input."""
        if isinstance(node, Sequence):
            if isinstance(field, TextList):
                self._entries(field, node, path)
            return
        if not isinstance(node, Scalar):
            return
        if field.is_path:
            self.path(node, path)
            if isinstance(field, Program) and (found := _command_line(node.text)):
                self._report(node, path, found)
        elif isinstance(field, Permissions) and node.plain and (mode := decimal_mode(node.text)):
            # Digits above 7 are an error anyway, which has the same hint.
            if not set(node.text) & set("89"):
                self._report(
                    node,
                    path,
                    Finding(
                        "decimal-permissions",
                        f"the permissions {node.text} are the octal number 0{node.text}",
                        f"{node.text} in decimal is 0{mode:o} in octal: write '0{mode:o}' in quotes"
                        f" if that is meant, and otherwise '0{node.text}'",
                    ),
                )
        else:
            self.value(node, path)

    def path(self, node: Scalar, path: str) -> None:
        """Check a path on this machine."""
        if paths.control_problem(node.text):
            return  # an error, which has the hint about escapes
        self.value(node, path)
        if node.is_null:
            return
        for platform in self._platforms:
            found = paths.unexpanded(node.text, platform)
            if found is None:
                continue
            self._report(node, path, _unexpanded(node.text, found))
            return

    def value(self, node: Node, path: str) -> None:
        """Check any other text."""
        if not isinstance(node, Scalar):
            return
        raw = self._raw(node)
        if found := _entry_inside(node, raw):
            self._report(node, path, found)
        if found := escapes.finding(node, raw, json=self._json):
            self._report(node, path, found)
        if not node.style and (found := self._glued(node)):
            self._report(node, path, found)
        if not node.style and _CURLY.match(node.text):
            from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

            self._report(
                node,
                path,
                Finding(
                    "typographic-character",
                    f"the quotes of {quoted(node.text)} are typographic quotes, which are part of"
                    " the value",
                    f"write {quoting.in_quotes(node.text[1:-1])}",
                ),
            )

    def error_hint(self, node: Node, field: Field | None = None) -> str:
        """Return a hint for an error about the value of ``node``; may be empty."""
        if not isinstance(node, Scalar):
            return ""
        raw = self._raw(node)
        if node.is_null:
            if raw.startswith(_TAG_OR_ANCHOR):
                return f"quote a string that starts with '{raw[0]}'"
            if node.text == "~" and field is not None and field.is_path:
                return (
                    "~ is YAML's null, no value: for the home folder, write '{{ env:HOME }}' in"
                    " quotes"
                )
            if node.text:
                return f"{node.text} is YAML's null, no value: quote it if the text is meant"
            return "write a value here"
        if isinstance(field, Permissions) and (mode := decimal_mode(node.text)):
            return f"{node.text} in decimal is 0{mode:o} in octal: write '0{mode:o}' in quotes"
        if paths.control_problem(node.text):
            return escapes.hint(node, raw, json=self._json)
        return ""

    def quoted_line(self, node: Node) -> str:
        """Return how to write the line of a list's entry as a string; empty if that is unclear."""
        from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

        if isinstance(node, Scalar) or not self._diagnostics.has_room(Severity.ERROR):
            return ""
        parts = [*node.items] if isinstance(node, Sequence) else []
        if isinstance(node, Mapping):
            parts = [part for entry in node.entries.values() for part in entry]
        line = encoding.lines(self._text)[node.line - 1]
        before, value = line[: node.column - 1], line[node.column - 1 :].strip()
        if before.strip(" -") or any(part.line != node.line for part in parts):
            return ""
        if not all(isinstance(part, Scalar) for part in parts) or value.startswith("- "):
            return ""
        return quoting.shown(before + quoting.in_quotes(value, single=True))

    def sweep(self, root: Node) -> None:
        """Report the empty tags that no other check has reported."""
        if not _ANY_TAG.search(self._text):
            return
        waiting: list[tuple[Node, str]] = [(root, "")]
        seen: set[int] = set()
        while waiting:
            node, path = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Scalar):
                self._tag(node, path, Severity.WARNING)
            elif isinstance(node, Sequence):
                waiting += [(item, f"{path}[{i}]") for i, item in enumerate(node.items)]
            else:
                for key, (where, value) in node.entries.items():
                    place = f"{path}.{key}" if path else key
                    waiting += [(where, place), (value, place)]

    def _entries(self, field: TextList, node: Sequence, path: str) -> None:
        """Check the entries of a list; a here-document may go over several of them."""
        ends_at = ""
        for position, item in enumerate(node.items):
            if isinstance(item, Scalar):
                self._entry(field, item, f"{path}[{position}]", is_text=bool(ends_at))
                if not ends_at:
                    ends_at = shell_text.open_document(item.text) if "<<" in item.text else ""
                elif item.text.strip() == ends_at:
                    ends_at = ""

    def _entry(self, field: TextList, node: Scalar, path: str, *, is_text: bool) -> None:
        self._tag(node, path, Severity.ERROR)
        raw = self._raw(node)
        if found := _entry_inside(node, raw):
            self._report(node, path, found)
            return
        if found := escapes.finding(node, raw, json=self._json):
            self._report(node, path, found)
        if isinstance(field, Script):
            rest = self._rest(node)
            for found in commands.findings(node, raw, rest, field.language, is_text=is_text):
                self._report(node, path, found)
        elif not node.style and (found := self._glued(node) or _two_arguments(node.text)):
            self._report(node, path, found)

    def _tag(self, node: Scalar, path: str, severity: Severity) -> None:
        if not self._text.startswith(_TAG_OR_ANCHOR, node.start):
            return
        if id(node) in self._reported or not _EMPTY_TAG.match(self._raw(node)):
            return
        self._reported.add(id(node))
        from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

        whole = quoting.in_quotes(f"! {node.text}".rstrip())
        self._report(
            node,
            path,
            Finding(
                "empty-tag",
                "the '!' is a YAML tag and not part of the value",
                f"write {whole}"
                if "\n" not in whole and len(whole) < 80  # noqa: PLR2004 - a line
                else "quote the whole string",
                severity=severity,
            ),
        )

    def _glued(self, node: Scalar) -> Finding | None:
        rest = self._rest(node)
        comment = rest.strip()
        if not comment.startswith("#") or not commands.is_glued(comment):
            return None
        return Finding(
            "comment-in-value",
            f"the value ends before '{comment.split()[0]}': '#' starts a YAML comment",
            "quote the whole value, or put a space after the '#'",
            node.end + len(rest) - len(rest.lstrip()),
        )

    def _raw(self, node: Scalar) -> str:
        return self._text[node.start : node.end]

    def _rest(self, node: Scalar) -> str:
        """Return what follows ``node`` on its line, or an empty string if that is no comment."""
        if not node.end or self._text[node.end : node.end + 1] not in (" ", "\t"):
            return ""
        return encoding.line_at(self._text, node.end, _REST)

    def _report(self, node: Scalar, path: str, found: Finding) -> None:
        where = Mark(node.line, node.column)
        if found.offset is not None and self._diagnostics.has_room(found.severity):
            self._breaks = self._breaks or encoding.breaks(self._text)
            line = bisect_right(self._breaks, found.offset)
            where = Mark(line, found.offset - self._breaks[line - 1] + 1)
        self._diagnostics.add(found.severity, where, path, found.code, found.message, found.hint)


def _entry_inside(node: Scalar, raw: str) -> Finding | None:
    """Return the problem of a list entry that is indented too far, and so is part of ``node``."""
    found = _ENTRY.search(raw) if not node.style and "\n" in raw else None
    if found is None:
        return None
    return Finding(
        "entry-in-string",
        "this line is part of the string above it, because it is indented further",
        "start it in the column of the '-' above, or quote the string as a whole",
        node.start + found.end(),
    )


def _command_line(text: str) -> Finding | None:
    """Return the problem of a program's path that has arguments in it, or None."""
    found = _PROGRAM_AND_OPTION.fullmatch(text)
    if found is None:
        return None
    words = ", ".join(map(flow_text, shell_text.words(found[2])))
    return Finding(
        "arguments-in-path",
        f"the path has arguments in it: no program is called {quoted(text)}",
        f"write 'path: {flow_text(found[1])}' and 'arguments: [{words}]'",
    )


def _two_arguments(text: str) -> Finding | None:
    """Return the problem of an option and its value in one argument, or None."""
    if not _OPTION_AND_VALUE.fullmatch(text):
        return None
    words = " and ".join(f"'- {flow_text(word)}'" for word in text.split())
    return Finding(
        "two-arguments",
        f"{quoted(text)} is one argument with a space in it",
        f"write {words}, or quote the argument if it is meant to have a space",
    )


def _unexpanded(path: str, found: paths.Unexpanded) -> Finding:
    if not found.variable:
        hint = "write the full path"
        if found.shown.startswith(("$(", "`")):
            hint += ", or the output of an earlier step: '{{ phase.step.outputs.stdout }}'"
    else:
        reference = f"{{{{ env:{found.variable} }}}}"
        end = found.start + len(found.shown)
        hint = f"write '{path[: found.start]}{reference}{path[end:]}' in quotes"
    return Finding("not-expanded", f"awstoe does not expand {quoted(found.shown)} in a path", hint)
