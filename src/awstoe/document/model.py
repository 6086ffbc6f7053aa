"""Defines the model of a valid document: immutable, typed, with source positions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from awstoe.expressions.conditions import Condition
from awstoe.expressions.loops import Loop
from awstoe.expressions.values import Value


class Mark(NamedTuple):
    """A position in a document; line and column count from 1."""

    line: int
    column: int


class OnFailure(StrEnum):
    """What happens after a step fails."""

    ABORT = "Abort"
    CONTINUE = "Continue"
    IGNORE = "Ignore"


class Branch(StrEnum):
    """What an ``if`` does with its step."""

    ABORT = "Abort"
    EXECUTE = "Execute"
    SKIP = "Skip"


class Parameter(NamedTuple):
    """A variable that the caller of a document can set."""

    name: str
    default: str | None
    description: str
    allowed_values: tuple[str, ...]
    mark: Mark


class Constant(NamedTuple):
    """A variable with a fixed value."""

    name: str
    value: str
    mark: Mark


class If(NamedTuple):
    """The ``if`` of a step."""

    condition: Condition
    then: Branch
    otherwise: Branch
    mark: Mark


class Step(NamedTuple):
    """One step."""

    name: str
    action: str
    timeout_seconds: int
    """-1: no limit."""
    on_failure: OnFailure
    max_attempts: int
    operations: tuple[Mapping[str, Value], ...]
    """The inputs, with unresolved references: one mapping per operation. One mapping for actions
    whose inputs are a mapping; empty for a step without inputs."""
    assertion: Condition | None
    """The condition of an Assert step."""
    loop: Loop | None
    loop_record: Mapping[str, Value] | None
    """The loop as written in the document, for the records."""
    condition: If | None
    disable_logging: bool
    mark: Mark


class Phase(NamedTuple):
    """One phase."""

    name: str
    steps: tuple[Step, ...]
    mark: Mark


class Document(NamedTuple):
    """One component document."""

    path: str
    """As given by the user."""
    name: str
    description: str
    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    phases: tuple[Phase, ...]
    data: bytes
    """The document's bytes, for the copy in the log folder."""
