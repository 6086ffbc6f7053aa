"""An ActionContext that behaves like the engine's, as far as file-system actions use it."""

from collections.abc import Mapping

from awstoe.actions.contract import Command, NestedRun, Result
from awstoe.errors import TimeoutExceeded
from awstoe.expressions.conditions import Condition, Evaluation
from awstoe.expressions.values import Value


class RecordingLog:
    """Keeps the lines, each with its level."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str) -> None:
        self.lines.append(message)

    def debug(self, message: str) -> None:
        self.lines.append(f"DEBUG {message}")

    def warning(self, message: str) -> None:
        self.lines.append(f"WARNING {message}")

    def stdout(self, data: bytes) -> None:
        self.lines.append(f"Stdout: {data!r}")

    def stdout_end(self) -> None:
        pass

    def live_stderr(self, data: bytes) -> None:
        pass


class RecordingContext:
    """The context of one step.

    Args:
        checkpoints: The number of checkpoints after which the attempt times out.
        verdict: The result of every condition.
    """

    def __init__(self, *, checkpoints: int = 1_000_000, verdict: Evaluation | None = None) -> None:
        self.log = RecordingLog()
        self.nested: list[NestedRun] = []
        self._checkpoints = checkpoints
        self._verdict = verdict

    def checkpoint(self) -> None:
        self._checkpoints -= 1
        if self._checkpoints < 0:
            raise TimeoutExceeded("the time is over")

    def execute(self, command: Command) -> Result:
        raise AssertionError(command)

    def temporary_folder(self) -> str:
        raise AssertionError

    def remove_folder(self, path: str) -> None:
        raise AssertionError(path)

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        self.nested.append(nested)
        return {"status": "success"}

    def holds(self, condition: Condition) -> Evaluation:
        del condition
        assert self._verdict is not None
        return self._verdict

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        raise AssertionError((delay_seconds, run_again))
