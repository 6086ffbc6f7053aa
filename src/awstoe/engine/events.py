"""What happens in a run, as typed facts. The journal keeps them, the records are made of them.

``run`` is the key of the run an event belongs to: empty for the top run, and for the documents of
an ExecuteDocument step ``<outer key>/<document>.<phase>.<step>[#iteration]``. Times are UTC,
``2022-05-25T14:01:45Z``. Indices count from 0 over everything that stands in the document, phases
that were not asked for included.
"""

from typing import NamedTuple

from awstoe.expressions.values import Value

Outputs = list[dict[str, Value]]
"""One mapping per operation; text but for the summary of a nested document."""


class StepAddress(NamedTuple):
    """Where a step stands: the first four fields of its events."""

    run: str
    document: int
    phase: int
    step: int


class Source(NamedTuple):
    """A nested document as it was when its run began: what a resumed run goes on with."""

    path: str
    text: str
    variables: dict[str, str]
    selected: list[bool]


class RunStarted(NamedTuple):
    """A run begins."""

    run: str
    execution_id: str
    time: str
    sources: list[Source]
    """Of a nested run; the documents of the top run are those of the command."""


class DocumentStarted(NamedTuple):
    """A document begins."""

    run: str
    document: int
    time: str


class PhaseStarted(NamedTuple):
    """A phase begins."""

    run: str
    document: int
    phase: int
    time: str


class StepStarted(NamedTuple):
    """A step begins."""

    run: str
    document: int
    phase: int
    step: int
    time: str


class BranchTaken(NamedTuple):
    """The ``if`` of a step was evaluated; it is never evaluated again."""

    run: str
    document: int
    phase: int
    step: int
    branch: str
    explanation: str


class InputsResolved(NamedTuple):
    """References in a step's inputs got their values."""

    run: str
    document: int
    phase: int
    step: int
    inputs: str
    """JSON text of the list of operations, as the records show it."""


class AttemptStarted(NamedTuple):
    """An attempt at a step begins; ``attempt`` counts from 1."""

    run: str
    document: int
    phase: int
    step: int
    attempt: int


class ProcessStarted(NamedTuple):
    """A step started a program; ``identity`` tells it from a later one with the same number."""

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
    """The list of a ``forEach`` was read: a resumed run goes on with the same one."""

    run: str
    document: int
    phase: int
    step: int
    values: list[str]


class FolderMade(NamedTuple):
    """A step made a temporary folder, which it removes when it is done with it."""

    run: str
    document: int
    phase: int
    step: int
    path: str


class IterationsFinished(NamedTuple):
    """A loop got as far as iteration ``last``; ``outputs`` of those since the last such event."""

    run: str
    document: int
    phase: int
    step: int
    last: int
    outputs: Outputs
    capped: bool = False
    """Whether some of their outputs are left out: they exceed the limit."""


class RebootAsked(NamedTuple):
    """A step asks for a reboot; the run stops as soon as it can, and goes on after it."""

    run: str
    document: int
    phase: int
    step: int
    boot: str
    """Tells this start of the machine from the next one; may be empty."""


class StepFinished(NamedTuple):
    """A step is over."""

    run: str
    document: int
    phase: int
    step: int
    time: str
    status: str
    message: str
    exit_code: int | None
    """Of the program whose failure failed the step."""
    stderr_tail: str
    attempts: int
    outputs: Outputs
    capped: bool
    """Whether an output value was cut at its limit."""
    hidden: bool
    """Whether ``disableLogging`` keeps the outputs out of the records."""


class PhaseFinished(NamedTuple):
    """A phase is over."""

    run: str
    document: int
    phase: int
    time: str
    status: str
    message: str


class DocumentFinished(NamedTuple):
    """A document is over."""

    run: str
    document: int
    time: str
    status: str
    message: str


class RunFinished(NamedTuple):
    """A run is over; there is nothing to resume."""

    run: str
    time: str
    status: str
    message: str


class RunInterrupted(NamedTuple):
    """A signal stopped the run; the step it stopped runs again when the run is resumed."""

    run: str
    time: str
    signal: int


class RunResumed(NamedTuple):
    """The run goes on in another process."""

    run: str
    time: str


Event = (
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

_KINDS: dict[str, type[Event]] = {
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


def to_entry(event: Event) -> list[object]:
    """``event`` as a journal entry: its kind, then its fields in order."""
    return [type(event).__name__, *event]


def from_entry(entry: list[object]) -> Event:
    """The event of a journal entry.

    Raises:
        ValueError: It is none that this version knows.
    """
    kind = _KINDS.get(str(entry[0]))
    if kind is None or len(entry) != len(kind._fields) + 1:
        raise ValueError(f"unknown journal entry {entry[0]!r}")
    return kind._make(entry[1:])
