"""From a document's bytes to its model, with everything that is wrong with it.

``parse`` never raises: whatever the bytes are, it says what is wrong with them, all of it in one
go. There is a model exactly when there is no error; after ``parse`` no code looks at nodes again.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from awstoe.document import expect
from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.model import Document
from awstoe.document.parse_context import ParseContext
from awstoe.document.problems import Problem, Severity, has_errors
from awstoe.document.references import ReferenceCheck
from awstoe.document.scope import scope_of
from awstoe.document.source import STANDARD_INPUT
from awstoe.document.steps import parse_phases
from awstoe.document.syntax import compose, encoding
from awstoe.document.syntax.nodes import Mapping, Scalar
from awstoe.document.syntax.yaml_reader import HAS_LIBYAML
from awstoe.document.variables import parse_constants, parse_parameters
from awstoe.host.platforms import Platform

_KEYS: Final = ("name", "description", "schemaVersion", "parameters", "constants", "phases")
_TOLERATED: Final = ("version", "metadata")
_SCHEMA_VERSIONS: Final = frozenset({"1.0", "1"})


class Parsed(NamedTuple):
    """What became of a document's bytes."""

    document: Document | None
    """None when there is an error among the problems."""
    problems: list[Problem]
    """Sorted by place."""


def parse(
    data: bytes,
    path: str,
    platforms: Iterable[Platform],
    *,
    strict: bool = False,
    libyaml: bool = HAS_LIBYAML,
) -> Parsed:
    """Parse a document.

    Args:
        data: Its bytes.
        path: Its path, as it was given.
        platforms: It has to be right on all of them.
        strict: Whether warnings are errors.
        libyaml: Whether to use libyaml; the result is the same without it.
    """
    report = Diagnostics("<stdin>" if path == STANDARD_INPUT else path)
    document = None
    try:
        text = encoding.decode(data)
        root = compose.read(text, report, libyaml=libyaml)
        holder = expect.mapping(report, root, "", "the document")
        if holder is not None:
            scope = scope_of(holder)
            check = ReferenceCheck(report, scope, text)
            reading = ParseContext(report, tuple(sorted(set(platforms))), scope, check)
            document = _document(reading, holder, path, data)
    except Unreadable as error:
        report.add(Severity.ERROR, error, "", error.code, error.message, error.hint)
    problems = report.sorted(strict=strict)
    return Parsed(None if has_errors(problems) else document, problems)


def _document(reading: ParseContext, root: Mapping, path: str, data: bytes) -> Document:
    report = reading.report
    expect.check_keys(report, root, "", _KEYS, _TOLERATED)
    _check_schema_version(report, root)
    parameters = parse_parameters(reading, root.value("parameters"))
    constants = parse_constants(reading, root.value("constants"), parameters)
    phases = root.entries.get("phases")
    if phases is None:
        expect.missing_key(report, root, "", "phases", "the document")
    return Document(
        path=path,
        name=_free_text(report, root, "name"),
        description=_free_text(report, root, "description"),
        parameters=parameters,
        constants=constants,
        phases=parse_phases(reading, phases[1]) if phases else (),
        data=data,
    )


def _check_schema_version(report: Diagnostics, root: Mapping) -> None:
    entry = root.entries.get("schemaVersion")
    if entry is None:
        expect.missing_key(report, root, "", "schemaVersion", "the document")
    elif not isinstance(entry[1], Scalar) or entry[1].text not in _SCHEMA_VERSIONS:
        report.error(
            entry[1],
            "schemaVersion",
            "schema-version",
            "Invalid schema version. Supported versions include: 1.0.",
            "write 'schemaVersion: 1.0'",
        )


def _free_text(report: Diagnostics, root: Mapping, key: str) -> str:
    entry = root.entries.get(key)
    return expect.free_text(report, entry[1], key, f"{key!r}") or "" if entry else ""
