"""Parses the bytes of a document to its model and collects all its problems.

Problems are never raised, whatever the bytes are: ``parse`` returns all of them at once. It returns
a model if and only if there is no error. After ``parse``, no code uses the document's nodes again.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from awstoe.document import expect
from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.model import Document
from awstoe.document.parse_context import ParseContext
from awstoe.document.platforms import platforms_of
from awstoe.document.problems import Problem, Severity, has_errors
from awstoe.document.references import ReferenceCheck
from awstoe.document.scope import scope_of
from awstoe.document.source import STANDARD_INPUT
from awstoe.document.steps import parse_phases
from awstoe.document.syntax import compose, encoding
from awstoe.document.syntax.nodes import Mapping, Scalar
from awstoe.document.variables import parse_constants, parse_parameters
from awstoe.host.platforms import Platform

_KEYS: Final = ("name", "description", "schemaVersion", "parameters", "constants", "phases")
_TOLERATED: Final = ("version", "metadata")
_SCHEMA_VERSIONS: Final = frozenset({"1.0", "1"})


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
    diagnostics = Diagnostics("<stdin>" if path == STANDARD_INPUT else path)
    document = None
    try:
        text = encoding.decode(data)
        root = compose.read(text, diagnostics)
        holder = expect.mapping(diagnostics, root, "", "the document")
        if holder is not None:
            scope = scope_of(holder)
            check = ReferenceCheck(diagnostics, scope, text)
            wanted = platforms_of(scope) if platforms is None else set(platforms)
            context = ParseContext(diagnostics, tuple(sorted(wanted)), scope, check)
            document = _document(context, holder, path, data)
    except Unreadable as error:
        diagnostics.add(Severity.ERROR, error, "", error.code, error.message, error.hint)
    problems = diagnostics.sorted(strict=strict)
    return Parsed(None if has_errors(problems) else document, problems)


def _document(context: ParseContext, root: Mapping, path: str, data: bytes) -> Document:
    diagnostics = context.diagnostics
    expect.check_keys(diagnostics, root, "", _KEYS, _TOLERATED)
    _check_schema_version(diagnostics, root)
    parameters = parse_parameters(context, root.value("parameters"))
    constants = parse_constants(context, root.value("constants"), parameters)
    phases = root.entries.get("phases")
    if phases is None:
        expect.missing_key(diagnostics, root, "", "phases", "the document")
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
        expect.missing_key(diagnostics, root, "", "schemaVersion", "the document")
    elif not isinstance(entry[1], Scalar) or entry[1].text not in _SCHEMA_VERSIONS:
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
