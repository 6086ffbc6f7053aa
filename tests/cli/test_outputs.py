"""The output of a step: how much of it is kept where, and what disableLogging hides."""

import json
import re
import resource
from pathlib import Path

import pytest

from cli.running import Ended, Toe, action, bash

SECRET = "hush-7f3a"


def everything(toe: Toe, ended: Ended) -> str:
    """Return everything that the run left and printed, except the copy of the document."""
    files = [path for path in (*ended.logs.iterdir(), *toe.state.iterdir()) if path.is_file()]
    kept = [path.read_text() for path in files if not path.name.startswith("D0__")]
    return "\n".join([ended.stdout, ended.stderr, *kept])


def test_a_cut_output_is_kept_in_the_log_and_warned_about(toe: Toe) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "10"
    ended = toe.steps(
        bash("Big", "echo 0123456789abcdef"), bash("Use", "echo '{{ build.Big.outputs.stdout }}'")
    )
    assert ended.exit_code == 0
    assert ended.printed("Big") == "0123456789"
    assert "Stdout: 0123456789abcdef" in ended.messages
    assert ended.printed("Use") == "0123456789"
    warnings = [line for line in ended.messages if line.startswith("Warning: ")]
    assert any("more than 10 bytes" in line for line in warnings)
    assert any("step build.Big printed more" in line for line in warnings)


def test_an_output_of_exactly_the_limit_is_not_cut(toe: Toe) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "10"
    ended = toe.steps(bash("Fits", "echo 0123456789"))
    assert ended.printed("Fits") == "0123456789"
    assert "Warning" not in ended.console


def test_a_loop_over_a_cut_output_is_an_error(toe: Toe) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "10"
    ended = toe.steps(
        bash("Big", "seq 1 100"),
        bash(
            "Loop",
            "touch ran",
            loop={"forEach": {"list": "{{ build.Big.outputs.stdout }}", "delimiter": "\n"}},
        ),
    )
    assert ended.exit_code == 1
    assert "AWSTOE_STDOUT_LIMIT" in ended.summary["failures"][0]["message"]
    assert "build.Big" in ended.summary["failures"][0]["message"]
    assert not (toe.folder / "ran").exists()


def test_standard_error_is_logged_at_the_end_and_is_not_an_output(toe: Toe) -> None:
    ended = toe.steps(bash("Mixed", "echo a; echo e1 >&2; echo b; echo e2 >&2"))
    assert ended.printed("Mixed") == "a\nb"
    at = ended.messages.index("CmdExecution: Stderr: e1")
    assert ended.messages.index("Stdout: b") < at
    assert "\ne2\n" in ended.console


def test_invalid_utf8_is_escaped_and_every_file_stays_readable(toe: Toe) -> None:
    ended = toe.steps(bash("Odd", r"printf 'a\xffb\n\xc3'; printf 'e\xfe' >&2; exit 1"))
    assert ended.exit_code == 1
    assert "Stdout: a\\xffb" in ended.messages
    assert ended.printed("Odd") == "a\\xffb\n\\xc3"
    assert ended.summary["failures"][0]["stderrTail"] == "e\\xfe"


def test_control_characters_of_a_program_do_not_reach_the_terminal(toe: Toe) -> None:
    ended = toe.steps(bash("Odd", r"printf '\033[2J\033]0;title\007' >&2; exit 1"))
    assert ended.exit_code == 1
    assert "\x1b" not in ended.stderr
    assert "\x07" not in ended.stderr


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_line_of_100_mb_needs_little_memory(toe: Toe, stream: str) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "1000"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    ended = toe.run(
        "-d",
        toe.document(
            bash("Big", f"head -c 100000000 /dev/zero | tr '\\0' x >&{stream}"),
            bash("Tell", "sed -n 's/^VmHWM: *//p' /proc/$PPID/status"),
        ),
    )
    assert ended.exit_code == 0, ended.stderr
    assert before >= 0
    kilobytes = int(ended.printed("Tell").split()[0])
    assert kilobytes < 100_000
    assert (ended.logs / "console.log").stat().st_size > 100_000_000


def test_disable_logging_hides_what_a_step_prints(toe: Toe) -> None:
    ended = toe.steps(
        bash("Hidden", "w=hush; echo $w-7f3a; echo $w-7f3a >&2", disableLogging=True),
        bash("Open", "echo shown"),
    )
    assert ended.exit_code == 0
    shown = everything(toe, ended)
    assert SECRET not in re.sub(r'^\["StepFinished".*$', "", shown, flags=re.MULTILINE)
    assert ended.steps["Hidden"]["status"] == "success"
    assert "Step Hidden" in ended.messages
    assert "Stdout: shown" in ended.messages


def test_disable_logging_hides_why_a_step_fails(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Hidden",
            "w=hush; echo $w-7f3a; echo $w-7f3a >&2; exit 9",
            disableLogging=True,
            onFailure="Continue",
            maxAttempts=2,
        ),
        action(
            "Check",
            "Assert",
            {"stringEquals": "x", "value": "{{ Secret }}"},
            disableLogging=True,
            onFailure="Continue",
        ),
        bash(
            "Look",
            "true",
            disableLogging=True,
            **{"if": {"stringEquals": "x", "value": "{{ Secret }}"}},
        ),
        action("Read", "ReadFile", [{"path": "/no/{{ Secret }}"}], disableLogging=True),
        parameters=[{"Secret": {"type": "string", "default": "unset"}}],
    )
    toe_ended = toe.run("-d", "doc.yml", "--parameters", f"Secret={SECRET}")
    assert ended.exit_code == toe_ended.exit_code == 1
    written = everything(toe, toe_ended)
    # The journal and the manifest are for resuming; they are neither logs nor records.
    for name in ("journal.jsonl", "run.json"):
        written = written.replace((toe.state / name).read_text(), "")
    assert SECRET not in written
    first = toe_ended.summary["failures"][0]
    assert (first["exitCode"], first["stderrTail"]) == (9, "")


def test_the_outputs_of_a_hidden_step_can_be_used(toe: Toe) -> None:
    ended = toe.steps(
        bash("Hidden", "echo 41", disableLogging=True),
        action("Use", "Assert", {"numberEquals": 41, "value": "{{ build.Hidden.outputs.stdout }}"}),
    )
    assert ended.exit_code == 0


def test_disable_logging_hides_all_of_a_nested_document(toe: Toe) -> None:
    toe.document(bash("Inner", "w=hush; echo $w-7f3a"), name="child.yml")
    ended = toe.steps(
        action(
            "Outer",
            "ExecuteDocument",
            {"document": "child.yml"},
            timeoutSeconds=-1,
            disableLogging=True,
        )
    )
    assert ended.exit_code == 0, ended.summary
    for path in ended.logs.iterdir():
        assert SECRET not in path.read_text(), path.name
    assert SECRET not in ended.stderr


def test_the_logs_differ_only_in_debug_lines(toe: Toe) -> None:
    ended = toe.steps(bash("A", "echo a; printf b; echo c >&2"), bash("B", "exit 0"))
    lines = [line for line in ended.application.splitlines() if not re.match(r"\S+Z Debug ", line)]
    assert lines == ended.console.splitlines()
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \S")
    assert all(stamp.match(line) for line in lines)


def test_the_lines_of_a_bash_step_are_as_documented(toe: Toe) -> None:
    ended = toe.steps(bash("A", "echo a; exit 3"))
    at = ended.messages.index("Step A")
    messages = [re.sub(r"/\S*AWSTOE\d+(/script-\d+\.sh)?", "PATH", m) for m in ended.messages[at:]]
    assert messages == [
        "Step A",
        "ExecuteBash: STARTED EXECUTION",
        "ExecuteBash: Created temporary directory: PATH",
        "ExecuteBash: Created temporary script file at: PATH",
        "CmdExecution: Preparing object for command bash with arguments [PATH]",
        "CmdExecution: Starting execution of command with arguments [bash PATH]",
        "Stdout: a",
        "CmdExecution: Terminating read operation on STDOUT pipe - EOF",
        "CmdExecution: Command execution has been completed",
        "CmdExecution: [ ERROR ] Command execution has resulted in an error",
        "CmdExecution: Stderr: ",
        "CmdExecution: ExitCode 3",
        "ExecuteBash: Removing temporary directory: PATH",
        "ExecuteBash: Successfully removed temporary directory: PATH",
        "ExecuteBash: FINISHED EXECUTION",
        "Executor: [ ERROR ] step A: ExecuteBash: the script ended with exit code 3",
        "TOE has completed execution with failure - Execution failed!",
    ]


def test_a_missing_bash_is_reported(toe: Toe) -> None:
    ended = toe.run("-d", toe.document(bash("A", "true")), environment={"PATH": str(toe.folder)})
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "bash" in message
    assert "PATH" in message
    assert json.loads(Path(ended.logs / "detailedoutput.json").read_text())["status"] == "failed"
