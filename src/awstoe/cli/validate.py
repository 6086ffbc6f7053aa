"""``awstoe validate``: reports problems in documents without running them."""

import io
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from awstoe.cli.lists import comma_list, document_list
from awstoe.cli.options import Parser
from awstoe.document import source, unavailable
from awstoe.document.model import Document
from awstoe.document.parse import parse
from awstoe.document.problems import Problem, Severity, render
from awstoe.document.syntax import encoding
from awstoe.errors import HostError, UsageError
from awstoe.host import platforms as hosts
from awstoe.host.platforms import Platform
from awstoe.reporting.console import Console

_EXAMPLES = """\
  awstoe validate -d hello.yml
  awstoe validate components/ 'more/*.yml' --os-platforms auto
  generate | awstoe validate --strict -"""
_AUTO: Final = "auto"


def run(arguments: Sequence[str], console: Console) -> int:
    """Validate the documents that the command line names, and return the exit code.

    Raises:
        UsageError: The options are not valid.
    """
    parser = Parser("validate", "Check documents without running them.", _EXAMPLES)
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="documents, folders or patterns; - for standard input",
    )
    add(
        "-d",
        "--documents",
        "--document",
        action="append",
        metavar="A,B",
        help="the same as PATH, separated by commas",
    )
    add(
        "--os-platforms",
        action="append",
        metavar="P,Q",
        help="linux, windows or both (default: this machine's); auto: for each document,"
        " those on which its actions run",
    )
    parser.flag("--strict", help="treat warnings as errors")
    parser.flag("-t", "--trace", help="accepted for compatibility; no effect")
    add("--document-s3-bucket-owner", metavar="ID", help="not supported in this version")
    options = parser.read(arguments)
    console.quiet = bool(options.quiet)
    owner = options.document_s3_bucket_owner
    if owner is not None:
        reason = "not supported in this version of awstoe, which does not use AWS"
        if not re.fullmatch(r"[0-9]{12}", owner):
            reason = f"expected an account ID of 12 digits, got {owner!r}"
        raise UsageError(f"--document-s3-bucket-owner: {reason}")
    names = [*document_list(options.documents), *options.paths]
    if not names:
        raise UsageError(
            "there is no document to validate", hint="name a document: awstoe validate hello.yml"
        )
    result = validate(
        names,
        platforms=_platforms(options.os_platforms),
        strict=bool(options.strict),
        stdin=sys.stdin.buffer if sys.stdin is not None else io.BytesIO(),
    )
    for line, problem in zip(result.lines, result.json["problems"], strict=True):
        console.problem(line, is_error=problem["severity"] is Severity.ERROR)
    console.result(result.json)
    return result.exit_code


def _platforms(given: Sequence[str] | None) -> frozenset[Platform] | None:
    """Return the platforms to check for; None to find them out for each document."""
    names = [name.lower() for name in comma_list(given, "--os-platforms")]
    known = {platform.value: platform for platform in Platform}
    for name in names:
        if name not in known and name != _AUTO:
            raise UsageError(
                f"--os-platforms: unknown platform {name!r}", hint="expected linux, windows or auto"
            )
    if _AUTO not in names:
        return frozenset(known[name] for name in names) or frozenset({hosts.current()})
    if set(names) != {_AUTO}:
        raise UsageError(
            "--os-platforms: auto cannot be combined with platforms",
            hint="write only auto, or only the platforms",
        )
    return None


class ValidationResult(NamedTuple):
    """The output of ``awstoe validate``."""

    json: dict[str, Any]
    """For standard output."""
    lines: list[str]
    """For standard error: one text for each problem."""
    exit_code: int


def validate(
    names: Sequence[str],
    *,
    platforms: Iterable[Platform] | None,
    strict: bool,
    stdin: BinaryIO,
) -> ValidationResult:
    """Validate documents.

    Args:
        names: Files, folders, patterns, or ``-`` for standard input.
        platforms: The platforms on which the documents must be valid; None for those on which the
            actions of each document run.
        strict: Whether warnings are errors.
        stdin: The stream that ``-`` names.
    """
    wanted = None if platforms is None else frozenset(platforms)
    problems: list[Problem] = []
    lines: list[str] = []
    paths: list[str] = []
    for name in names:
        try:
            paths += source.expand([name], stdin_taken=source.STANDARD_INPUT in paths)
        except source.SourceError as error:
            _unreadable(name, error.reason, error.hint, problems, lines)
    for path in paths:
        try:
            data = source.read(path, stdin)
            parsed = parse(data, path, wanted, strict=strict)
            found = [*parsed.problems, *_unavailable(parsed.document, strict=strict)]
        except source.SourceError as error:
            _unreadable(path, error.reason, error.hint, problems, lines)
            continue
        except HostError as error:
            _unreadable(path, error.message, error.hint, problems, lines)
            continue
        shown = encoding.shown_lines(data) if found else []
        lines += [render(problem, shown) for problem in found]
        problems += found
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    result: dict[str, Any] = {
        "validationStatus": "failed" if errors else "success",
        "message": _failure(errors)
        if errors
        else f"Document(s) [{', '.join(paths)}] is/are valid.",
    }
    result["problems"] = [problem._asdict() for problem in problems]
    return ValidationResult(result, lines, 1 if errors else 0)


def _unavailable(document: Document | None, *, strict: bool) -> list[Problem]:
    """Return the problems with what this version cannot run."""
    found = unavailable.problems(document) if document is not None else []
    if strict:
        found = [problem._replace(severity=Severity.ERROR) for problem in found]
    return found


def _unreadable(
    name: str, reason: str, hint: str | None, problems: list[Problem], lines: list[str]
) -> None:
    """Add the problem of a document that cannot be read at all."""
    file = "<stdin>" if name == source.STANDARD_INPUT else name
    problem = Problem(
        file,
        0,
        0,
        "",
        Severity.ERROR,
        "unreadable",
        reason,
        hint or "",
    )
    problems.append(problem)
    lines.append(render(problem, ()))


def _failure(errors: list[Problem]) -> str:
    first = errors[0]
    place = f"{first.file}:{first.line}:{first.column}" if first.line else first.file
    more = len(errors) - 1
    count = f", and {more} more error{'s' if more > 1 else ''}" if more else ""
    return f"{first.message} ({place}{count})"
