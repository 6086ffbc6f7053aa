"""Reads the configuration file of ``run --config``: JSON, with the position of everything in it.

All problems are reported together, each with its line and column, as for documents. ``cli.run``
applies the precedence: the options of the command line override the file, except ``--documents``
and ``--parameters``, which cannot be combined with it.
"""

import errno
import json
import os
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.document import expect
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
_FLAGS: Final = ("cwIgnoreFailures", "trace")
_MISSPELT: Final = "executonId"
"""The AWSTOE user guide misspells executionId like this in one place."""
_KEYS: Final = ("documents", "parameters", *_STRINGS, *_FLAGS)


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
        raise UsageError(f"--config {path}: {error.strerror}", hint="check the path") from error


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
        json.loads(text)  # for its messages: the reader below only accepts or rejects
        json_reader.feed(text, builder)
    except json.JSONDecodeError as error:
        raise Unreadable(
            "syntax", f"this is not JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from error
    except (json_reader.NotJson, RecursionError, ValueError) as error:
        raise Unreadable("syntax", "this JSON cannot be read") from error
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
    expect.check_keys(report, root, "", _KEYS)
    strings: dict[str, str] = {}
    flags: dict[str, bool] = {}
    for key in (*_STRINGS, *_FLAGS):
        given = root.value(key)
        if given is None:
            continue
        if key in _FLAGS:
            flags[key] = bool(expect.flag(report, given, key, quoted(key)))
        else:
            strings[key] = _string(report, given, key) or ""
    documents = _documents(report, root)
    parameters = _parameters(report, root.value("parameters"), "parameters")
    return Configuration(documents, parameters, strings, flags)


def _string(report: Diagnostics, node: Node, path: str) -> str | None:
    if not isinstance(node, Scalar) or node.plain:
        hint = "write it in quotes" if isinstance(node, Scalar) and not node.is_null else ""
        message = f"expected a string as {quoted(path)}, got {_kind(node)}"
        report.error(node, path, "wrong-type", message, hint)
        return None
    if "\0" in node.text:
        report.error(node, path, "wrong-value", f"{quoted(path)} contains a NUL character")
        return None
    return node.text


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
        report.error(node, "documents", "wrong-type", f"documents: {expected}, got {got}")
        return ()
    found = []
    for number, item in enumerate(node.items):
        where = f"documents[{number}]"
        if not isinstance(item, Mapping):
            message = f"{where}: expected an object with a path, got {_kind(item)}"
            report.error(item, where, "wrong-type", message)
            continue
        expect.check_keys(report, item, where, ("path", "parameters"))
        given = _parameters(report, item.value("parameters"), f"{where}.parameters")
        path = item.value("path")
        if path is None:
            report.error(item, where, "missing-key", f"{where} has no path")
            continue
        text = _string(report, path, f"{where}.path")
        if text == "":
            report.error(path, where, "wrong-value", f"{where}.path is empty")
        if text:
            found.append(ConfiguredDocument(text, given))
    return tuple(found)


def _parameters(report: Diagnostics, node: Node | None, where: str) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, Sequence):
        message = f"{where}: expected a list of {{name, value}} objects, got {_kind(node)}"
        report.error(node, where, "wrong-type", message)
        return {}
    found: dict[str, str] = {}
    for number, item in enumerate(node.items):
        place = f"{where}[{number}]"
        if not isinstance(item, Mapping) or set(item.entries) != {"name", "value"}:
            message = f"{place}: expected an object with exactly name and value"
            report.error(item, place, "wrong-type", message)
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
