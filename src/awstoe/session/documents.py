"""Reads and validates documents for a run: those on the command line, and nested ones."""

from typing import BinaryIO, NamedTuple

from awstoe.document import problems, source
from awstoe.document.model import Document
from awstoe.document.parse import Parsed, parse
from awstoe.document.problems import Severity
from awstoe.document.syntax import encoding
from awstoe.host import platforms


class Loaded(NamedTuple):
    """A document that was read."""

    document: Document | None
    """None if it is not valid on this machine."""
    problems: list[problems.Problem]
    rendered: list[str]
    """The problems as text for a user, in the same order."""

    @property
    def failed(self) -> bool:
        """Whether one of the problems is an error."""
        return problems.has_errors(self.problems)


class Loader:
    """Reads documents for this machine; implements the engine's ``Documents``.

    Args:
        blocked: Action modules that documents may not use.
        strict: Whether warnings are errors.
    """

    def __init__(self, blocked: frozenset[str], *, strict: bool = False) -> None:
        self._blocked = blocked
        self._strict = strict
        self._known: dict[str, Document] = {}

    def read(self, path: str) -> Document:
        """Return the valid document at ``path``.

        Raises:
            DocumentError: It cannot be read, is not valid, or uses a blocked module.
        """
        return self.parse(path, source.read(path))

    def load(self, path: str, stdin: BinaryIO | None = None) -> Loaded:
        """Read and validate the document at ``path``.

        Args:
            path: Its path.
            stdin: The stream that the path ``-`` refers to; None if it is a file like any other.

        Raises:
            DocumentError: It cannot be read.
            HostError: It is YAML, and PyYAML has no libyaml.
        """
        return self._parsed(path, source.read(path, stdin))

    def parse(self, path: str, data: bytes) -> Document:
        """Return the document with the content ``data``.

        Raises:
            DocumentError: It is not valid.
        """
        known = self._known.get(path)
        if known is not None and known.data == data:
            return known  # a loop runs the same document repeatedly
        loaded = self._parsed(path, data)
        if loaded.document is None or loaded.failed:
            raise problems.document_error(loaded.problems)
        self._known[path] = loaded.document
        return loaded.document

    def _parsed(self, path: str, data: bytes) -> Loaded:
        parsed = parse(data, path, [platforms.current()])
        blocked = self._blocked_problems(parsed, path)
        found = [*parsed.problems, *blocked]
        if self._strict:
            found = [problem._replace(severity=Severity.ERROR) for problem in found]
        text = encoding.shown_lines(data) if found else []
        rendered = [problems.render(problem, text) for problem in found]
        return Loaded(None if blocked else parsed.document, found, rendered)

    def _blocked_problems(self, parsed: Parsed, path: str) -> list[problems.Problem]:
        if parsed.document is None or not self._blocked:
            return []
        return [
            problems.Problem(
                path,
                step.mark.line,
                step.mark.column,
                f"phases[{phase_index}].steps[{step_index}].action",
                Severity.ERROR,
                "blocked-action",
                f"step '{step.name}' in phase '{phase.name}' uses {step.action}, which"
                " --blocked-action-modules forbids",
                "",
            )
            for phase_index, phase in enumerate(parsed.document.phases)
            for step_index, step in enumerate(phase.steps)
            if step.action in self._blocked
        ]
