"""Parses the bytes of a document to its model and collects all its problems.

Problems are never raised, whatever the bytes are: ``parse`` returns all of them at once. It returns
a model if and only if there is no error. After ``parse``, no code uses the document's nodes again.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from awstoe.document import expect, structure
from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.model import Document
from awstoe.document.parse_context import ParseContext
from awstoe.document.platforms import platforms_of
from awstoe.document.problems import Problem, Severity, has_errors
from awstoe.document.references import ReferenceCheck
from awstoe.document.scalars.check import ScalarCheck
from awstoe.document.scope import scope_of
from awstoe.document.source import STANDARD_INPUT
from awstoe.document.steps import parse_phases
from awstoe.document.syntax import compose, encoding
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe
from awstoe.document.variables import parse_constants, parse_parameters
from awstoe.host.platforms import Platform

_TOP: Final = "write 'schemaVersion: 1.0' and 'phases:' above it, and the rest under 'phases'"
_STEPS: Final = (
    "write 'schemaVersion: 1.0', 'phases:', '- name: build' and 'steps:' above the list, and indent"
    " the list below 'steps:'"
)
_PHASES: Final = (
    "add 'phases:' with at least one phase: '- name: build' and its 'steps', as in 'awstoe actions"
    " ExecuteBash'"
)


class Parsed(NamedTuple):
    """The result of parsing a document."""

    document: Document | None
    """None if one of the problems is an error."""
    problems: list[Problem]
    """Sorted by position."""


def parse(
    data: bytes,
    path: str,
    platforms: Iterable[Platform] | None,
    *,
    strict: bool = False,
) -> Parsed:
    """Parse a document.

    Args:
        data: Its bytes.
        path: Its path, as given by the user.
        platforms: The platforms to validate it for; None for those on which its actions run.
        strict: Whether warnings are errors.

    Raises:
        HostError: It is YAML, and PyYAML has no libyaml.
    """
    file = "<stdin>" if path == STANDARD_INPUT else path
    diagnostics = Diagnostics(file)
    document = None
    try:
        text, root = _read(data, diagnostics)
    except Unreadable as error:
        diagnostics = Diagnostics(file)
        diagnostics.add(Severity.ERROR, error, "", error.code, error.message, error.hint)
    else:
        meant = structure.as_meant(diagnostics, _wanted(platforms, root), root)
        wanted, scope = _wanted(platforms, meant), scope_of(meant)
        check = ReferenceCheck(diagnostics, scope, text)
        scalars = ScalarCheck(diagnostics, text, wanted)
        context = ParseContext(diagnostics, wanted, scope, check, scalars)
        document = _document(context, meant, path, data)
        scalars.sweep(meant)
    problems = diagnostics.sorted(strict=strict)
    return Parsed(None if has_errors(problems) else document, problems)


def _wanted(platforms: Iterable[Platform] | None, root: Mapping) -> tuple[Platform, ...]:
    chosen = platforms_of(scope_of(root)) if platforms is None else platforms
    return tuple(sorted(set(chosen)))


def _read(data: bytes, diagnostics: Diagnostics) -> tuple[str, Mapping]:
    """Return the text and the tree of a document.

    Raises:
        Unreadable: It has none, or the file is of another kind.
        HostError: It is YAML, and PyYAML has no libyaml.
    """
    try:
        text = encoding.decode(data)
        root = compose.read(text, diagnostics)
    except Unreadable as error:
        is_text = error.code == "yaml-syntax"
        if error.code != "empty-document" and (found := _foreign(data, None, is_text=is_text)):
            raise found from None
        raise
    if isinstance(root, Mapping) and isinstance(root.value("phases"), Sequence):
        return text, root
    if found := _foreign(data, root):
        raise found
    if isinstance(root, Mapping):
        return text, root
    message = f"the document: expected a mapping, got {describe(root)}"
    line, column = root.line, root.column
    hint = _list_hint(root) if isinstance(root, Sequence) else _TOP
    raise Unreadable("wrong-type", message, hint=hint, line=line, column=column)


def _list_hint(root: Sequence) -> str:
    """Return the hint for a list in place of a document."""
    keys = {key for item in root.items if isinstance(item, Mapping) for key in item.entries}
    if not keys:
        return "a component document has 'schemaVersion: 1.0' and 'phases'"
    if not keys.isdisjoint(("schemaVersion", "phases")):
        return "remove the '- ' at the start of the keys, and start all keys in one column"
    return _STEPS if "action" in keys else _TOP


def _foreign(data: bytes, root: Node | None, *, is_text: bool = False) -> Unreadable | None:
    # Imported here because only a file that may not be a document needs it.
    from awstoe.document import foreign_files  # noqa: PLC0415

    return foreign_files.recognized(data, root, is_text=is_text)


def _document(context: ParseContext, root: Mapping, path: str, data: bytes) -> Document:
    diagnostics = context.diagnostics
    _check_schema_version(diagnostics, root)
    parameters = parse_parameters(context, root.value("parameters"))
    constants = parse_constants(context, root.value("constants"), parameters)
    phases = root.entries.get("phases")
    if phases is None:
        expect.missing_key(diagnostics, root, "", "phases", "the document", _PHASES)
    return Document(
        path=path,
        name=_free_text(diagnostics, root, "name"),
        description=_free_text(diagnostics, root, "description"),
        parameters=parameters,
        constants=constants,
        phases=parse_phases(context, phases[1]) if phases else (),
        data=data,
    )


def _check_schema_version(diagnostics: Diagnostics, root: Mapping) -> None:
    entry = root.entries.get("schemaVersion")
    if entry is None:
        expect.missing_key(
            diagnostics, root, "", "schemaVersion", "the document", "add 'schemaVersion: 1.0'"
        )
    elif not isinstance(entry[1], Scalar) or entry[1].text not in structure.SCHEMA_VERSIONS:
        diagnostics.error(
            entry[1],
            "schemaVersion",
            "schema-version",
            "Invalid schema version. Supported versions include: 1.0.",
            "write 'schemaVersion: 1.0'",
        )


def _free_text(diagnostics: Diagnostics, root: Mapping, key: str) -> str:
    entry = root.entries.get(key)
    return expect.free_text(diagnostics, entry[1], key, f"{key!r}") or "" if entry else ""
