"""What an action module is, and what it may ask of the run that carries it out.

Every action module holds, in this order and nothing else public:

1. a docstring whose first line is ``<Name>: <what it does>``; the rest is its reference text,
2. ``EXAMPLE``, the ``inputs`` of one worked example as YAML text,
3. ``class Inputs(NamedTuple)`` whose fields are annotated with ``actions.fields`` types,
4. ``class Outputs(NamedTuple)`` with one annotated field per output value (when it has any),
5. optionally ``conflict(given)``: why the given inputs cannot stand together, or None; values may
   still hold references,
6. ``run(inputs, ctx)``, called once per operation, which gives ``Outputs``, a mapping with the same
   keys, or None; modules whose table row says that they are not built have none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from awstoe.expressions.conditions import Condition, Evaluation
from awstoe.expressions.values import Value


class StepLog(Protocol):
    """Where a step's messages go. With ``disableLogging`` they go nowhere."""

    def info(self, message: str) -> None:
        """A line for console.log and application.log."""

    def debug(self, message: str) -> None:
        """A line for application.log only."""

    def warning(self, message: str) -> None:
        """A line for both logs and for the person who watches."""

    def stdout(self, data: bytes) -> None:
        """A piece of a program's standard output; each line is logged as ``Stdout: <line>``."""

    def stdout_end(self) -> None:
        """The program's standard output is at its end: finish the last line."""

    def live_stderr(self, data: bytes) -> None:
        """A piece of standard error, for the person who watches only."""


class Command(NamedTuple):
    """A program for ``ActionContext.execute``."""

    argv: Sequence[str]
    logged_as: str
    """How the program is called in the log, for example ``bash``."""


class Result(NamedTuple):
    """How a program ended, when it did so by itself."""

    exit_code: int
    """128 + N when signal N ended it."""
    stdout: str
    """Standard output without its last line end, cut at the limit for output values."""
    stderr_tail: str
    stdout_is_cut: bool = False


class NestedRun(NamedTuple):
    """What ExecuteDocument asks for."""

    document: str
    phases: tuple[str, ...]
    parameters: Mapping[str, str]


class ActionContext(Protocol):
    """What a run offers its actions."""

    @property
    def log(self) -> StepLog:
        """The step's log."""

    def checkpoint(self) -> None:
        """Call this in every loop that may take long.

        Raises:
            TimeoutExceeded: The attempt's time is over.
            Interrupted: A signal asks the run to stop.
        """

    def execute(self, command: Command) -> Result:
        """Run a program to its end, its output going to the log line by line.

        Raises:
            ActionError: It cannot be started.
            TimeoutExceeded: The attempt's time is over; the process tree has been ended.
            Interrupted: A signal asks the run to stop; the process tree has been ended.
        """

    def temporary_folder(self) -> str:
        """A new private folder (0700), named ``AWSTOE<digits>``, removed with ``remove_folder``."""

    def remove_folder(self, path: str) -> None:
        """Remove a folder made by ``temporary_folder``."""

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        """Run another document inside this step; gives its summary.

        Raises:
            ActionError: It failed, cannot be read, or is a cycle.
        """

    def holds(self, condition: Condition) -> Evaluation:
        """Evaluate a condition; references are resolved on the way."""

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        """Ask for a reboot after this step; ``run_again``: the same step runs again after it.

        Raises:
            ActionError: Reboots are blocked, or cannot be done here.
        """


Conflict = Callable[[Mapping[str, Value]], "str | None"]
