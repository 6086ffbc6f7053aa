"""The request of ``awstoe run``: options and configuration file combined."""

from collections.abc import Mapping
from typing import NamedTuple


class RequestedDocument(NamedTuple):
    """A document to run, and the parameters given for it."""

    path: str
    parameters: Mapping[str, str]
    own: frozenset[str] = frozenset()
    """The parameters that were given for this document alone."""
    from_stdin: bool = False


class RunRequest(NamedTuple):
    """What ``run`` has to do."""

    documents: tuple[RequestedDocument, ...]
    phases: tuple[str, ...]
    execution_id: str | None
    log_directory: str
    """As given; empty for the working directory."""
    state_directory: str | None
    blocked: frozenset[str]
    trace: bool
    resume: bool
    stdout_limit: int
    arguments: tuple[str, ...]
    """The command line after ``run``, for the command that resumes the run after a reboot."""
    other_arguments: tuple[str, ...] = ()
    """The same without the documents."""
    expand: bool = False
    """Whether the documents may be folders, patterns, and ``-`` for standard input."""
    expanded: bool = False
    """Whether folders or patterns were replaced by the documents found."""
    config: str | None = None
    """The configuration file, for the check that it can be read again after a reboot."""
    strict: bool = False
    """Whether warnings about the documents and their parameters are errors."""
