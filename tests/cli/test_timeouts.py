"""Time limits: what they apply to, what they end, and which daemons may stay."""

import time

import pytest

from awstoe import limits
from cli.running import Toe, alive, bash, wait_until

SLEEP = "sleep 600"


def test_a_step_that_takes_too_long_fails_and_its_program_is_ended(toe: Toe) -> None:
    ended = toe.steps(bash("Slow", f"echo $$ > pids; echo begun; {SLEEP}", timeoutSeconds=1))
    assert ended.exit_code == 1
    assert "timed out after 1 second" in ended.summary["failures"][0]["message"]
    assert ended.printed("Slow") == "begun"
    assert not any(map(alive, toe.pids()))


def test_every_attempt_has_the_full_time(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Slow",
            f"echo x >> count; [ -e again ] || {{ touch again; {SLEEP}; }}",
            timeoutSeconds=1,
            maxAttempts=2,
        )
    )
    assert ended.exit_code == 0, ended.summary
    assert toe.read("count") == "x\n" * 2


def test_the_time_limit_of_a_loop_is_for_all_iterations_together(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Loop",
            "echo x >> count; sleep 0.4",
            timeoutSeconds=1,
            loop={"for": {"start": 1, "end": 50, "updateBy": 1}},
        )
    )
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "the loop run timed out after 1 second" in message
    assert 1 <= len(toe.read("count").split()) <= 3


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"({SLEEP} & echo $! >> pids; wait) & wait", id="grand-child"),
        pytest.param(f"setsid {SLEEP} & echo $! >> pids; wait", id="setsid"),
        pytest.param(
            "setsid bash -c '(sleep 600 & echo $! >> pids); echo $$ >> pids; sleep 600' & wait",
            id="detached-family",
        ),
    ],
)
def test_a_timeout_ends_every_process_of_the_step(toe: Toe, script: str) -> None:
    ended = toe.steps(bash("Slow", script, timeoutSeconds=1))
    assert ended.exit_code == 1
    assert toe.pids()
    assert not any(map(alive, toe.pids()))


@pytest.mark.slow
def test_a_program_that_ignores_term_is_killed_after_the_grace_period(toe: Toe) -> None:
    start = time.monotonic()
    ended = toe.steps(
        bash(
            "Stubborn", "trap '' TERM; echo $$ > pids; while :; do sleep 1; done", timeoutSeconds=1
        )
    )
    assert time.monotonic() - start >= 1 + limits.TERM_GRACE_SECONDS
    assert ended.exit_code == 1
    assert not any(map(alive, toe.pids()))


def test_a_failing_step_leaves_no_process_behind(toe: Toe) -> None:
    ended = toe.steps(bash("Bad", f"{SLEEP} > /dev/null 2>&1 & echo $! > pids; exit 1"))
    assert ended.exit_code == 1
    assert not any(map(alive, toe.pids()))


@pytest.mark.parametrize("start", ["nohup", "setsid", ""])
def test_a_daemon_of_a_successful_step_keeps_running(toe: Toe, start: str) -> None:
    ended = toe.steps(
        bash("Start", f"{start} {SLEEP} > /dev/null 2>&1 & echo $! > pids"),
        bash("Fails", "exit 1"),
    )
    assert ended.exit_code == 1
    assert all(map(alive, toe.pids()))


@pytest.mark.slow
def test_a_pipe_that_a_daemon_keeps_open_is_read_on_after_a_short_wait(toe: Toe) -> None:
    toe.environment["PYTHONPATH"] = ""
    ended = toe.steps(
        bash(
            "Start",
            "(sleep 5.5; echo late; touch out; exec sleep 600) & echo $! > pids; echo now",
        ),
        bash("Wait", "until [ -e out ]; do sleep 0.05; done; sleep 0.1"),
    )
    assert ended.exit_code == 0
    assert ended.printed("Start") == "now"
    warnings = [line for line in ended.messages if line.startswith("Warning: ")]
    assert len(warnings) == 1
    assert "keeps its output open" in warnings[0]
    assert "warning: " in ended.stderr
    assert "Stdout: late" in ended.messages
    assert all(map(alive, toe.pids()))


def test_minus_one_disables_the_time_limit(toe: Toe) -> None:
    ended = toe.steps(bash("Free", "echo done", timeoutSeconds=-1))
    assert ended.exit_code == 0
    assert ended.steps["Free"]["timeoutSeconds"] == -1


def test_a_daemon_keeps_its_output_after_the_run(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Start",
            "(sleep 0.3; echo x > after; exec sleep 600) > daemon.log 2>&1 & echo $! > pids",
        )
    )
    assert ended.exit_code == 0
    wait_until((toe.folder / "after").exists)
    assert all(map(alive, toe.pids()))


@pytest.mark.slow
def test_an_incomplete_line_of_a_background_process_does_not_break_the_log(toe: Toe) -> None:
    ended = toe.steps(
        bash("Start", "(sleep 5.3; printf half; touch out; exec sleep 600) & echo $! > pids"),
        bash("Wait", "printf begin; until [ -e out ]; do sleep 0.05; done; sleep 0.2; echo end"),
    )
    assert ended.exit_code == 0
    printed = [line for line in ended.messages if line.startswith("Stdout: ")]
    assert sorted(printed) == ["Stdout: beginend", "Stdout: half"]
    assert ended.printed("Wait") == "beginend"


def test_what_a_program_printed_before_its_timeout_is_reported(toe: Toe) -> None:
    ended = toe.steps(bash("Slow", f"echo $$ > pids; echo why >&2; {SLEEP}", timeoutSeconds=1))
    assert ended.summary["failures"][0]["stderrTail"] == "why"
    assert "CmdExecution: Stderr: why" in ended.messages
    assert any("[ ERROR ] Command execution was stopped: bash" in line for line in ended.messages)
