"""What an action module consists of, and what the run offers it.

An action module has the following, in this order, and nothing else that is public:

1. a docstring whose first line is ``<Name>: <what it does>``; the rest is its reference text,
2. ``EXAMPLE``, the ``inputs`` of an example as YAML text,
3. ``class Inputs(NamedTuple)`` whose fields are annotated with ``actions.fields`` types,
4. ``class Outputs(NamedTuple)`` with one annotated field per output value, if it has any,
5. optionally ``conflict(given)``, which returns why the given inputs exclude each other, or None;
   the values may still contain references; ``CONFLICT_AT`` names the input that is reported,
6. ``run(inputs, ctx)``, called once per operation, which returns ``Outputs``, a mapping with the
   same keys, or None. A module that the table lists as not implemented has no ``run``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from awstoe.expressions.conditions import Condition, Evaluation
from awstoe.expressions.values import Value


class StepLog(Protocol):
    """Receives a step's messages; with ``disableLogging`` it discards them."""

    def info(self, message: str) -> None:
        """Log a line to console.log and application.log."""

    def debug(self, message: str) -> None:
        """Log a line to application.log only."""

    def warning(self, message: str) -> None:
        """Log a line to both logs, and show it in the progress output."""

    def stdout(self, data: bytes) -> None:
        """Take a piece of a program's standard output; log each line as ``Stdout: <line>``."""

    def stdout_end(self) -> None:
        """End the program's standard output: log an incomplete last line."""

    def live_stderr(self, data: bytes) -> None:
        """Take a piece of standard error, for the progress output only."""


class Command(NamedTuple):
    """A program for ``ActionContext.execute``."""

    argv: Sequence[str]
    logged_as: str
    """The program's name in the log, for example ``bash``."""
    script: str = ""
    """The script that the program runs, whose lines it may print: ``set -v``, ``set -x``."""


class Result(NamedTuple):
    """How a program ended that was not ended by us."""

    exit_code: int
    """128 + N if signal N ended it."""
    stdout: str
    """Standard output without the final line break, cut at the limit for output values."""
    stderr_tail: str
    """The end of standard error, and the cause of the failure; empty for exit code 0."""
    stdout_is_cut: bool = False
    stdout_tail: str = ""
    """The same of standard output."""
    stdout_first: bool = False
    """Whether standard output says more about the failure than standard error."""
    cause: str = ""
    """The line of the output that says why the program failed, if there is one."""
    by_signal: bool = False
    """Whether a signal ended the program itself."""
    out_of_memory: bool | None = None
    """Whether the system has ended processes of this run for lack of memory; None if unknown."""


class NestedRun(NamedTuple):
    """A document that ExecuteDocument runs."""

    document: str
    phases: tuple[str, ...]
    parameters: Mapping[str, str]


class ActionContext(Protocol):
    """What a run offers its actions."""

    @property
    def log(self) -> StepLog:
        """The step's log."""

    def checkpoint(self) -> None:
        """Check whether the step has to stop. Call this in every loop that may take long.

        Raises:
            TimeoutExceeded: The attempt timed out.
            Interrupted: A signal asks the run to stop.
        """

    def execute(self, command: Command) -> Result:
        """Run a program until it ends, and log its output line by line.

        Raises:
            ActionError: It cannot be started.
            TimeoutExceeded: The attempt timed out; the process tree has been ended.
            Interrupted: A signal asks the run to stop; the process tree has been ended.
        """

    def temporary_folder(self) -> str:
        """Make a private folder (0700) ``AWSTOE<digits>``; remove it with ``remove_folder``."""

    def remove_folder(self, path: str) -> None:
        """Remove a folder made by ``temporary_folder``."""

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        """Run another document inside this step and return its summary.

        Raises:
            ActionError: It failed, cannot be read, or is a cycle.
        """

    def holds(self, condition: Condition) -> Evaluation:
        """Evaluate a condition, including the references in it."""

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        """Request a reboot after this step; ``run_again``: the step runs again after the reboot.

        Raises:
            ActionError: Reboots are blocked, or not possible on this machine.
        """


Conflict = Callable[[Mapping[str, Value]], "str | None"]
