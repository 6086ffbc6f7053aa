"""Reads and validates documents for a run: those of the command line, and nested ones."""

from awstoe.document import problems, source
from awstoe.document.model import Document
from awstoe.document.parse import Parsed, parse
from awstoe.document.problems import Severity
from awstoe.document.syntax import encoding
from awstoe.host import platforms


class Loader:
    """Reads documents for this machine; implements the engine's ``Documents``.

    Args:
        blocked: Action modules that documents must not use.
    """

    def __init__(self, blocked: frozenset[str]) -> None:
        self._blocked = blocked
        self._known: dict[str, Document] = {}

    def read(self, path: str) -> Document:
        """The valid document at ``path``.

        Raises:
            DocumentError: It cannot be read, is not valid, or uses a blocked module.
        """
        return self.parse(path, source.read(path))

    def load(self, path: str) -> tuple[Document | None, list[problems.Problem], list[str]]:
        """The document at ``path`` if it is valid, and its problems, also as text for a person.

        Raises:
            DocumentError: It cannot be read.
        """
        return self._parsed(path, source.read(path))

    def parse(self, path: str, data: bytes) -> Document:
        """The document whose bytes are known already.

        Raises:
            DocumentError: It is not valid.
        """
        known = self._known.get(path)
        if known is not None and known.data == data:
            return known  # a loop runs the same document again and again
        document, found, _ = self._parsed(path, data)
        if document is None:
            raise problems.document_error(found)
        self._known[path] = document
        return document

    def _parsed(
        self, path: str, data: bytes
    ) -> tuple[Document | None, list[problems.Problem], list[str]]:
        parsed = parse(data, path, [platforms.current()])
        blocked = self._blocked_problems(parsed, path)
        found = [*parsed.problems, *blocked]
        text = encoding.shown_lines(data) if found else []
        shown = [problems.render(problem, text) for problem in found]
        return (None if blocked else parsed.document), found, shown

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
