"""What happens in a run, as typed facts. The journal keeps most of them; the records apply them.

``run`` is the key of the run an event belongs to: empty for the top run, and for the documents of
an ExecuteDocument step ``<outer key>/<document>.<phase>.<step>[#iteration]``. Times are UTC,
``2022-05-25T14:01:45Z``. Indices count from 0 over everything in the document, including phases
that are not selected.

A resumed run emits ``RunStarted``, ``DocumentStarted``, ``PhaseStarted`` and ``StepStarted`` again
for what it continues: observers are notified, but the journal and the records keep the first ones.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from awstoe.expressions.values import Value

Outputs = list[dict[str, Value]]
"""One mapping per operation. Values are text, except in the summary of a nested document."""

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Compact JSON, as AWSTOE writes inputs and outputs in its records and logs."""


class StepAddress(NamedTuple):
    """The position of a step: the first four fields of its events."""

    run: str
    document: int
    phase: int
    step: int


class Source(NamedTuple):
    """A nested document as it was when its run started; a resumed run uses this copy."""

    path: str
    text: str
    variables: dict[str, str]
    selected: list[bool]


# --- events that the journal keeps ---------------------------------------------------------------


class RunStarted(NamedTuple):
    """A run starts."""

    run: str
    execution_id: str
    time: str
    sources: list[Source]
    """For a nested run; the documents of the top run come from the command line."""


class DocumentStarted(NamedTuple):
    """A document starts."""

    run: str
    document: int
    time: str


class PhaseStarted(NamedTuple):
    """A phase starts."""

    run: str
    document: int
    phase: int
    time: str


class StepStarted(NamedTuple):
    """A step starts."""

    run: str
    document: int
    phase: int
    step: int
    time: str


class BranchTaken(NamedTuple):
    """The ``if`` of a step was evaluated. It is never evaluated again."""

    run: str
    document: int
    phase: int
    step: int
    branch: str
    explanation: str


class InputsResolved(NamedTuple):
    """References in a step's inputs were replaced with their values."""

    run: str
    document: int
    phase: int
    step: int
    inputs: str
    """JSON text of the list of operations, as the records show it."""


class AttemptStarted(NamedTuple):
    """An attempt at a step starts; ``attempt`` counts from 1."""

    run: str
    document: int
    phase: int
    step: int
    attempt: int


class ProcessStarted(NamedTuple):
    """A step started a program; ``identity`` differs from that of a later process with its ID."""

    run: str
    document: int
    phase: int
    step: int
    pid: int
    identity: str


class ContextRead(NamedTuple):
    """A ``context:`` value that is read once per run was read."""

    run: str
    key: str
    value: str


class ListRead(NamedTuple):
    """The list of a ``forEach`` was read. A resumed run continues with the same list."""

    run: str
    document: int
    phase: int
    step: int
    values: list[str]


class FolderMade(NamedTuple):
    """A step made a temporary folder, which it removes when it has finished with it."""

    run: str
    document: int
    phase: int
    step: int
    path: str


class IterationsFinished(NamedTuple):
    """A loop has finished iteration ``last``; ``outputs`` are those since the last such event."""

    run: str
    document: int
    phase: int
    step: int
    last: int
    outputs: Outputs
    capped: bool = False
    """Whether some of the outputs are left out because they exceed the limit."""


class RebootAsked(NamedTuple):
    """A step requests a reboot. The run stops as soon as possible and resumes after it."""

    run: str
    document: int
    phase: int
    step: int
    boot: str
    """Identifies the current boot of the machine; may be empty."""


class StepFinished(NamedTuple):
    """A step has finished."""

    run: str
    document: int
    phase: int
    step: int
    time: str
    status: str
    message: str
    exit_code: int | None
    """The exit code of the program that failed the step."""
    stderr_tail: str
    attempts: int
    outputs: Outputs
    capped: bool
    """Whether an output value was cut at its limit."""
    hidden: bool
    """Whether ``disableLogging`` keeps the outputs out of the records."""
    stdout_tail: str = ""
    stdout_first: bool = False
    """Whether standard output says more about the failure than standard error."""
    iteration: str = ""
    """The iteration that failed, as text; empty without a loop."""


class PhaseFinished(NamedTuple):
    """A phase has finished."""

    run: str
    document: int
    phase: int
    time: str
    status: str
    message: str


class DocumentFinished(NamedTuple):
    """A document has finished."""

    run: str
    document: int
    time: str
    status: str
    message: str


class RunFinished(NamedTuple):
    """A run has finished; there is nothing to resume."""

    run: str
    time: str
    status: str
    message: str


class RunInterrupted(NamedTuple):
    """A signal stopped the run. The step it stopped runs again when the run is resumed."""

    run: str
    time: str
    signal: int


class RunResumed(NamedTuple):
    """The run continues in another process."""

    run: str
    time: str


# --- events for observers only -------------------------------------------------------------------


class ActionStarted(NamedTuple):
    """The inputs of an attempt are resolved, and its action, or the loop around it, starts."""

    run: str
    document: int
    phase: int
    step: int
    attempt: int
    iterations: int | None
    """The number of iterations; None for a step without a loop."""


class IterationStarted(NamedTuple):
    """An iteration that is logged in full starts; ``iteration`` counts from 0."""

    run: str
    document: int
    phase: int
    step: int
    iteration: int


class AttemptFinished(NamedTuple):
    """An attempt has finished."""

    run: str
    document: int
    phase: int
    step: int
    failure: str
    """Why it failed; empty if it succeeded."""
    again: bool
    """Whether another attempt follows."""


class RunStopped(NamedTuple):
    """The top run was stopped before it had finished, and this process ends."""

    run: str
    reason: str


JournaledEvent = (
    RunStarted
    | DocumentStarted
    | PhaseStarted
    | StepStarted
    | BranchTaken
    | InputsResolved
    | AttemptStarted
    | ProcessStarted
    | FolderMade
    | ContextRead
    | ListRead
    | IterationsFinished
    | RebootAsked
    | StepFinished
    | PhaseFinished
    | DocumentFinished
    | RunFinished
    | RunInterrupted
    | RunResumed
)

TransientEvent = ActionStarted | IterationStarted | AttemptFinished | RunStopped
"""Events that change no record: observers receive them, and the journal does not keep them."""

Event = JournaledEvent | TransientEvent

_KINDS: dict[str, type[JournaledEvent]] = {
    kind.__name__: kind
    for kind in (
        RunStarted,
        DocumentStarted,
        PhaseStarted,
        StepStarted,
        BranchTaken,
        InputsResolved,
        AttemptStarted,
        ProcessStarted,
        FolderMade,
        ContextRead,
        ListRead,
        IterationsFinished,
        RebootAsked,
        StepFinished,
        PhaseFinished,
        DocumentFinished,
        RunFinished,
        RunInterrupted,
        RunResumed,
    )
}


def to_entry(event: JournaledEvent) -> list[object]:
    """Return ``event`` as a journal entry: its kind, then its fields in order."""
    return [type(event).__name__, *event]


def from_entry(entry: list[object]) -> JournaledEvent:
    """Return the event of a journal entry.

    Raises:
        ValueError: This version does not know the entry.
    """
    kind = _KINDS.get(str(entry[0]))
    if kind is None or len(entry) != len(kind._fields) + 1:
        raise ValueError(f"unknown journal entry {entry[0]!r}")
    return kind._make(entry[1:])


# --- what no version changes, so that it can be read in the journals of other versions -----------


def has_finished(entries: Iterable[list[object]]) -> bool:
    """Whether the top run of a journal has finished."""
    return any(_is_of_top(RunFinished, entry) for entry in entries)


def reboot_request(entries: Iterable[list[object]]) -> list[object] | None:
    """Return the entry of the reboot that the run of a journal waits for, if any.

    The run waits until it resumes or finishes. Only the kind of the entry is certain: another
    version may have other fields.
    """
    request = None
    for entry in entries:
        if entry[0] == RebootAsked.__name__:
            request = entry
        elif _is_of_top(RunFinished, entry) or _is_of_top(RunResumed, entry):
            request = None
    return request


def waits_for_reboot(entries: Iterable[list[object]]) -> bool:
    """Whether the run of a journal has requested a reboot and has neither resumed nor finished."""
    return reboot_request(entries) is not None


def _is_of_top(kind: type[JournaledEvent], entry: list[object]) -> bool:
    return entry[:2] == [kind.__name__, ""]
