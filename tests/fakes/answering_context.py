"""An ActionContext that starts no program and returns the results that the test defines."""

from collections.abc import Callable, Mapping
from pathlib import Path

from awstoe.actions.contract import Command, NestedRun, Result
from awstoe.expressions.conditions import Condition, Evaluation
from awstoe.expressions.values import Value
from awstoe.host.files import temporary
from fakes.action_context import RecordingLog

Answer = Callable[[tuple[str, ...]], "Result | None"]


class AnsweringContext:
    """Records the programs and returns their results.

    Args:
        folder: For temporary files.
        answer: Returns the result of a program; None means success without output.
    """

    def __init__(self, folder: Path, answer: Answer = lambda _argv: None) -> None:
        self.log = RecordingLog()
        self.started: list[tuple[str, ...]] = []
        self.scripts: list[str] = []
        self.reboots: list[tuple[int, bool]] = []
        self._folder = folder
        self._answer = answer

    def checkpoint(self) -> None:
        pass

    def execute(self, command: Command) -> Result:
        argv = tuple(command.argv)
        self.started.append(argv)
        if argv[-1].endswith(".ps1"):
            self.scripts.append(Path(argv[-1]).read_text(encoding="utf-8"))
        return self._answer(argv) or Result(0, "", "")

    def temporary_folder(self) -> str:
        return temporary.make_folder(str(self._folder))

    def remove_folder(self, path: str) -> None:
        temporary.remove_folder(path)

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        raise AssertionError(nested)

    def holds(self, condition: Condition) -> Evaluation:
        raise AssertionError(condition)

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        self.reboots.append((delay_seconds, run_again))
