"""What ``awstoe run`` was asked for, options and configuration file taken together."""

from collections.abc import Mapping
from typing import NamedTuple


class RequestedDocument(NamedTuple):
    """A document to run, and the parameters given for it."""

    path: str
    parameters: Mapping[str, str]


class RunRequest(NamedTuple):
    """What ``run`` was asked for."""

    documents: tuple[RequestedDocument, ...]
    phases: tuple[str, ...]
    execution_id: str | None
    log_directory: str
    """As it was given; empty for the working directory."""
    state_directory: str | None
    blocked: frozenset[str]
    trace: bool
    resume: bool
    stdout_limit: int
    arguments: tuple[str, ...]
    """What followed ``run`` on the command line, for the command that goes on after a reboot."""
