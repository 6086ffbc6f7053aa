"""ExecuteBash and ExecuteBinary, with a context that starts real programs."""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from awstoe.actions import execute_bash, execute_binary, program
from awstoe.actions.contract import Command, NestedRun, Result
from awstoe.actions.schema import schema
from awstoe.errors import ActionError, HostError, TimeoutExceeded
from awstoe.expressions.conditions import Condition, Evaluation
from awstoe.expressions.values import Value
from awstoe.host.files import temporary
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption


class Log:
    """Records what a step logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str) -> None:
        self.lines.append(message)

    def debug(self, message: str) -> None:
        del message

    def warning(self, message: str) -> None:
        self.lines.append("WARNING " + message)

    def stdout(self, data: bytes) -> None:
        del data

    def stdout_end(self) -> None:
        pass

    def live_stderr(self, data: bytes) -> None:
        del data


class Context:
    """A run with one folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.log = Log()
        self.deadline: float | None = None
        self.reboots: list[tuple[int, bool]] = []
        self.commands: list[Command] = []
        self._folder = folder

    def checkpoint(self) -> None:
        pass

    def execute(self, command: Command) -> Result:
        self.commands.append(command)
        stdout, stderr = bytearray(), bytearray()
        end = children.run(
            command.argv,
            environment=child_environment(),
            on_stdout=stdout.extend,
            on_stderr=stderr.extend,
            deadline=self.deadline,
            interruption=Interruption(),
        )
        return Result(
            end.exit_code,
            stdout.decode().removesuffix("\n"),
            stderr.decode(),
            by_signal=end.by_signal,
        )

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


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(tmp_path)


def bash(ctx: Context, *commands: str) -> str:
    return execute_bash.run(execute_bash.Inputs(commands), ctx).stdout


def test_commands_are_one_script(ctx: Context) -> None:
    assert (
        bash(ctx, "cd /", "x=1\nfalse\n", 'echo "$PWD $x"', "cat <<END\nhere\nEND") == "/ 1\nhere"
    )


def test_log_lines_are_those_of_awstoe(ctx: Context, tmp_path: Path) -> None:
    bash(ctx, "true")
    folder = re.escape(str(tmp_path)) + r"/AWSTOE\d+"
    expected = [
        "ExecuteBash: STARTED EXECUTION",
        f"ExecuteBash: Created temporary directory: {folder}",
        rf"ExecuteBash: Created temporary script file at: {folder}/script-\d+\.sh",
        f"ExecuteBash: Removing temporary directory: {folder}",
        f"ExecuteBash: Successfully removed temporary directory: {folder}",
        "ExecuteBash: FINISHED EXECUTION",
    ]
    assert len(ctx.log.lines) == len(expected)
    for line, pattern in zip(ctx.log.lines, expected, strict=True):
        assert re.fullmatch(pattern, line)
    assert ctx.commands[0].argv[0] == ctx.commands[0].logged_as == "bash"


def test_failure_names_the_exit_code_and_quotes_standard_error(ctx: Context) -> None:
    with pytest.raises(ActionError) as caught:
        bash(ctx, "echo oh >&2", "exit 4")
    assert caught.value.message == "ExecuteBash: the script ended with exit code 4"
    assert (caught.value.process_exit_code, caught.value.stderr_tail) == (4, "oh\n")


def test_exit_code_of_a_signal_names_it(ctx: Context) -> None:
    with pytest.raises(ActionError, match=r"exit code 137 \(signal SIGKILL\)") as caught:
        bash(ctx, "kill -9 $$")
    assert "memory" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("result", "message", "hint"),
    [
        (Result(3, "", "no room", cause="no room"), "exit code 3: no room", None),
        (Result(129, "", "oh"), "exit code 129, perhaps because signal SIGHUP ended a", None),
        (Result(129, "", "oh", cause="oh"), "exit code 129: oh", None),
        (Result(126, "", "oh"), "exit code 126, perhaps because a command cannot be exec", None),
        (Result(127, "", "oh"), "exit code 127, perhaps because a command was not found", None),
        (Result(145, "", "oh"), "the program ended with exit code 145", None),
        (Result(200, "", ""), "the program ended with exit code 200", "look"),
        (Result(143, "", "oh", by_signal=True), "exit code 143 (signal SIGTERM)", None),
        (Result(137, "", "oh", out_of_memory=False), "exit code 137, perhaps because", None),
        (Result(137, "", "oh", out_of_memory=True), "exit code 137, perhaps because", "lack of"),
        (Result(137, "", "oh", by_signal=True), "exit code 137 (signal SIGKILL)", "check dmesg"),
    ],
)
def test_the_message_says_what_is_known_of_an_exit_code(
    ctx: Context, result: Result, message: str, hint: str | None
) -> None:
    with pytest.raises(ActionError) as caught:
        program.check_exit_code(
            result, ctx, action="A", program="the program", hint_if_silent="look"
        )
    assert message in caught.value.message
    assert (caught.value.hint is None) if hint is None else (hint in (caught.value.hint or ""))


@pytest.mark.parametrize("ending", ["fails", "times-out", "cannot-be-written"])
def test_folder_is_removed_if_the_step(ctx: Context, tmp_path: Path, ending: str) -> None:
    if ending == "times-out":
        ctx.deadline = time.monotonic() + 0.2
    script = {"fails": "exit 1", "times-out": "sleep 60", "cannot-be-written": "\ud800"}[ending]
    errors = {"fails": ActionError, "times-out": TimeoutExceeded, "cannot-be-written": HostError}
    with pytest.raises(errors[ending]):
        bash(ctx, script)
    assert os.listdir(tmp_path) == []
    assert ctx.log.lines[-1] == "ExecuteBash: FINISHED EXECUTION"


def test_folder_that_cannot_be_removed_is_a_warning(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise HostError(f"Cannot remove {path}.")

    monkeypatch.setattr(ctx, "remove_folder", refuse)
    assert bash(ctx, "echo fine") == "fine"
    assert any(line.startswith("WARNING ExecuteBash: Cannot remove") for line in ctx.log.lines)


def test_exit_code_194_requests_a_reboot_and_the_same_step_again(ctx: Context) -> None:
    bash(ctx, "exit 194")
    execute_binary.run(execute_binary.Inputs("sh", ("-c", "exit 194")), ctx)
    assert ctx.reboots == [(0, True), (0, True)]


def test_missing_bash_is_reported(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(HostError, match="Cannot start 'bash': there is no such program in PATH"):
        bash(ctx, "true")
    assert os.listdir(tmp_path) == []


def test_binary_gets_its_arguments_unchanged(ctx: Context) -> None:
    arguments = ("a b", "*", "$HOME", "", "ä", "'")
    inputs = execute_binary.Inputs("printf", ("%s|", *arguments))
    assert execute_binary.run(inputs, ctx).stdout == "a b|*|$HOME||ä|'|"
    assert ctx.log.lines == [
        "ExecuteBinary: STARTED EXECUTION",
        "ExecuteBinary: FINISHED EXECUTION",
    ]


def test_relative_path_of_a_binary_is_relative_to_the_working_folder(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert execute_binary.run(execute_binary.Inputs("./program"), ctx).stdout == "here"


def test_failure_of_a_binary_names_it(ctx: Context) -> None:
    with pytest.raises(ActionError, match="ExecuteBinary: false ended with exit code 1"):
        execute_binary.run(execute_binary.Inputs("false"), ctx)


@pytest.mark.parametrize("action", ["ExecuteBash", "ExecuteBinary"])
def test_the_reference_lists_inputs_and_outputs(action: str) -> None:
    described = schema(action)
    assert described.summary.startswith("run a ")
    assert [output.name for output in described.outputs] == ["stdout"]
    assert described.required == {"commands"} if action == "ExecuteBash" else {"path"}
