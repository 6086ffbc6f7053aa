"""Reads the configuration file of ``run --config``: JSON, with the position of everything in it.

All problems are reported together, each with its line and column, as for documents. ``cli.run``
applies the precedence: the options of the command line override the file, except ``--documents``
and ``--parameters``, which cannot be combined with it.
"""

import errno
import os
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.cli.lists import split_commas
from awstoe.cli.path_hints import path_hint
from awstoe.document import expect, keys
from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.problems import has_errors, render
from awstoe.document.syntax import encoding, json_reader
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, TreeBuilder, describe
from awstoe.errors import UsageError
from awstoe.expressions.values import quoted
from awstoe.host.files import plain_files

_STRINGS: Final = (
    "phases",
    "cwLogGroup",
    "cwLogRegion",
    "cwLogStream",
    "documentS3BucketOwner",
    "executionId",
    "logDirectory",
    "logS3BucketName",
    "logS3BucketOwner",
    "logS3KeyPrefix",
    "stateDirectory",
)
_PATHS: Final = ("logDirectory", "stateDirectory")
_FLAGS: Final = ("cwIgnoreFailures", "trace")
_MISSPELT: Final = "executonId"
"""The AWSTOE user guide misspells executionId like this in one place."""
_LEVEL: Final = keys.Level(("documents", "parameters", *_STRINGS, *_FLAGS), None)
_DOCUMENT: Final = keys.Level(("path", "parameters"), None)


class ConfiguredDocument(NamedTuple):
    """A document that the file names."""

    path: str
    parameters: dict[str, str]


class Configuration(NamedTuple):
    """The content of the file."""

    documents: tuple[ConfiguredDocument, ...]
    parameters: dict[str, str]
    strings: dict[str, str]
    flags: dict[str, bool]


def read(path: str) -> Configuration:
    """Read the configuration in the file ``path``.

    Raises:
        UsageError: It cannot be read, or its content is not valid.
    """
    if path.startswith("s3://"):
        raise UsageError(
            f"--config {path}: this version of awstoe does not read configuration files from S3",
            hint="download the file and use its local path",
        )
    data = _read(path)
    report = Diagnostics(path)
    configuration = Configuration((), {}, {}, {})
    try:
        root = expect.mapping(report, _parse(data), "", "the configuration")
        if root is not None:
            configuration = _configuration(report, root)
    except Unreadable as error:
        report.error(error, "", error.code, error.message, error.hint)
    found = report.sorted(strict=True)
    if has_errors(found):
        lines = encoding.shown_lines(data)
        shown = "\n".join(render(problem, lines) for problem in found)
        raise UsageError(f"the configuration file {path} is not valid:\n{shown}")
    return configuration


def _read(path: str) -> bytes:
    if not path or "\0" in path:
        raise UsageError(f"--config: expected the path of a JSON file, got {quoted(path)}")
    try:
        if os.path.isdir(path):
            raise UsageError(f"--config {path}: expected a JSON file, got a folder")
        # This may be a pipe: `--config <(...)`.
        return plain_files.read(path, limits.DOCUMENT_BYTES, pipe=True)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UsageError(f"{path}: the configuration file is larger than 10 MiB") from error
        raise UsageError(f"--config {path}: {error.strerror}", hint=path_hint(path)) from error


def _parse(data: bytes) -> Node:
    """Return the node tree of the file.

    Raises:
        Unreadable: It is not JSON.
    """
    if not data.strip():
        raise Unreadable("empty", "the file is empty; expected a JSON object with documents")
    text = encoding.decode(data)
    builder = TreeBuilder()
    try:
        json_reader.feed(text, builder)
    except json_reader.NotJson as error:
        from awstoe.cli.json_mistakes import mistake

        found = mistake(text, error)
        line, column = encoding.place(text, found.offset)
        message = f"this is not JSON: {found.message}"
        raise Unreadable("syntax", message, hint=found.hint, line=line, column=column) from error
    for fault in builder.faults:
        raise Unreadable(
            fault.code, fault.message, hint=fault.hint, line=fault.line, column=fault.column
        )
    if builder.root is None:  # a JSON text has exactly one value
        raise Unreadable("syntax", "this JSON cannot be read")
    return builder.root


def _configuration(report: Diagnostics, root: Mapping) -> Configuration:
    entries = root.entries
    if _MISSPELT in entries:
        entry = entries.pop(_MISSPELT)
        if "executionId" in entries:
            report.error(entry[0], _MISSPELT, "duplicate-key", "the execution ID is given twice")
        entries["executionId"] = entry
    root = keys.check(report, (), root, "", _LEVEL)
    strings: dict[str, str] = {}
    flags: dict[str, bool] = {}
    for key in (*_STRINGS, *_FLAGS):
        given = root.value(key)
        if given is None:
            continue
        if key in _FLAGS:
            flags[key] = bool(expect.flag(report, given, key, quoted(key)))
        else:
            read = _path if key in _PATHS else _string
            strings[key] = read(report, given, key) or ""
    documents = _documents(report, root)
    parameters = _parameters(report, root.value("parameters"), "parameters")
    return Configuration(documents, parameters, strings, flags)


def _string(report: Diagnostics, node: Node, path: str) -> str | None:
    if not isinstance(node, Scalar) or node.plain:
        hint = _string_hint(node)
        message = f"expected a string as {quoted(path)}, got {_kind(node)}"
        report.error(node, path, "wrong-type", message, hint)
        return None
    if "\0" in node.text:
        report.error(node, path, "wrong-value", f"{quoted(path)} contains a NUL character")
        return None
    return node.text


def _path(report: Diagnostics, node: Node, path: str) -> str | None:
    text = _string(report, node, path)
    found = next((sign for sign in text or "" if sign < " "), None)
    if found is None:
        return text
    report.error(
        node,
        path,
        "wrong-value",
        f"{quoted(path)}: the path contains the control character U+{ord(found):04X}",
        "a backslash is an escape in JSON: write two for each in a path, or use '/'",
    )
    return None


def _string_hint(node: Node) -> str:
    """Return how to write what is not a string, or an empty string."""
    if isinstance(node, Scalar):
        return "" if node.is_null else f"write it in quotes: {_quoted_json(node.text)}"
    if isinstance(node, Sequence) and (texts := _texts(node)):
        return f"write {_quoted_json(','.join(texts))}"
    return ""


def _texts(node: Sequence) -> list[str]:
    """Return the entries of a list of strings or numbers; empty for other lists."""
    texts = [item.text for item in node.items if isinstance(item, Scalar)]
    return texts if len(texts) == len(node.items) else []


def _quoted_json(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _document_json(text: str) -> str:
    return f'{{"path": {_quoted_json(text)}}}'


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text if node.plain else quoted(node.text)
    return "an object" if isinstance(node, Mapping) else describe(node)


def _documents(report: Diagnostics, root: Mapping) -> tuple[ConfiguredDocument, ...]:
    node = root.value("documents")
    expected = "expected a list of at least one {path, parameters} object"
    if node is None:
        report.error(root.key("documents"), "documents", "missing-key", f"no documents: {expected}")
        return ()
    if not isinstance(node, Sequence) or not node.items:
        got = "an empty list" if isinstance(node, Sequence) else _kind(node)
        hint = _documents_hint(node)
        report.error(node, "documents", "wrong-type", f"documents: {expected}, got {got}", hint)
        return ()
    found = []
    for number, item in enumerate(node.items):
        where = f"documents[{number}]"
        if not isinstance(item, Mapping):
            message = f"{where}: expected an object with a path, got {_kind(item)}"
            named = isinstance(item, Scalar) and not item.is_null and item.text
            hint = f"write {_document_json(named)}" if named else ""
            report.error(item, where, "wrong-type", message, hint)
            continue
        item = keys.check(report, (), item, where, _DOCUMENT)  # noqa: PLW2901 - as it was meant
        given = _parameters(report, item.value("parameters"), f"{where}.parameters")
        path = item.value("path")
        if path is None:
            report.error(item, where, "missing-key", f"{where} has no path")
            continue
        text = _path(report, path, f"{where}.path")
        if text == "":
            report.error(path, where, "wrong-value", f"{where}.path is empty")
        if text:
            found.append(ConfiguredDocument(text, given))
    return tuple(found)


def _documents_hint(node: Node) -> str:
    if isinstance(node, Scalar) and node.text and not node.is_null:
        return f"write [{', '.join(map(_document_json, split_commas(node.text)))}]"
    return "write the object in brackets: [{...}]" if isinstance(node, Mapping) else ""


def _parameters_hint(node: Node) -> str:
    """Return the parameters in ``node`` in the form of a list of objects; may be empty."""
    if isinstance(node, Scalar):
        pairs = [
            split[::2] for each in split_commas(node.text) if (split := each.partition("="))[1]
        ]
    elif isinstance(node, Mapping) and not node.entries.keys() & {"name", "value"}:
        pairs = [
            (name, value.text)
            for name, (_, value) in node.entries.items()
            if isinstance(value, Scalar)
        ]
    else:
        pairs = []
    objects = [
        f'{{"name": {_quoted_json(name)}, "value": {_quoted_json(value)}}}' for name, value in pairs
    ]
    return f"write [{', '.join(objects)}]" if objects else ""


def _parameters(report: Diagnostics, node: Node | None, where: str) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, Sequence):
        message = f"{where}: expected a list of {{name, value}} objects, got {_kind(node)}"
        report.error(node, where, "wrong-type", message, _parameters_hint(node))
        return {}
    found: dict[str, str] = {}
    for number, item in enumerate(node.items):
        place = f"{where}[{number}]"
        if not isinstance(item, Mapping) or set(item.entries) != {"name", "value"}:
            message = f"{place}: expected an object with exactly name and value"
            report.error(item, place, "wrong-type", message, _parameters_hint(item))
            continue
        name_node, value_node = item.entries["name"][1], item.entries["value"][1]
        name = _string(report, name_node, f"{place}.name")
        value = _string(report, value_node, f"{place}.value")
        if name is None or value is None:
            continue
        if not name or name in found:
            fault = f"the parameter {name} is given twice" if name else "the name is empty"
            report.error(name_node, place, "wrong-value", f"{place}: {fault}")
        found[name] = value
    return found
