"""Signals during a run: what is ended and written, and how ``--resume`` continues."""

import re
import signal
import time
from collections.abc import Callable

import pytest

from awstoe import limits
from cli.running import Toe, action, alive, bash, phases, wait_until

WAIT = "echo $$ >> pids; echo x >> begun; [ -e go ] || sleep 600"


def begun(toe: Toe, times: int = 1) -> Callable[[], bool]:
    def holds() -> bool:
        path = toe.folder / "begun"
        return path.exists() and path.read_text().count("x") >= times

    return holds


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
)
def test_a_signal_ends_the_processes_of_the_step_and_is_recorded(
    toe: Toe, number: signal.Signals, exit_code: int
) -> None:
    document = toe.document(
        bash("First", "true"),
        bash("Slow", f"(sleep 600 & echo $! >> pids); setsid sleep 600 & echo $! >> pids; {WAIT}"),
        bash("Never", "true"),
    )
    started = toe.start("-d", document)
    wait_until(begun(toe))
    started.signal(number)
    ended = started.end()
    assert ended.exit_code == exit_code
    assert ended.counts == ("failed", 2, 1, 0)
    assert ended.summary["failureMessage"] == (
        f"Document doc.yml failed! Phase 'build', step 'Slow': Interrupted by {number.name}."
    )
    assert ended.summary["failures"] == [
        {
            "document": "doc.yml",
            "phase": "build",
            "step": "Slow",
            "exitCode": None,
            "message": f"Interrupted by {number.name}.",
            "stderrTail": "",
            "stdoutTail": "",
            "path": [{"document": "doc.yml", "phase": "build", "step": "Slow", "iteration": ""}],
        }
    ]
    assert re.search(
        r"  build/Slow: failed in [0-9.]+ s\n"
        rf"awstoe: error: Phase 'build', step 'Slow': Interrupted by {number.name}\.\n",
        ended.stderr,
    )
    assert not any(map(alive, toe.pids()))
    assert len(toe.pids()) == 3
    assert ended.statuses == {"First": "success", "Slow": "failed"}
    assert f"Interrupted by {number.name}" in ended.steps["Slow"]["failureMessage"]
    assert ended.records["status"] == "failed"
    assert ended.messages[-1] == "TOE has completed execution with failure - Execution failed!"
    assert "--resume" in ended.stderr


def test_an_interrupted_run_can_be_resumed(toe: Toe) -> None:
    never = {"not": {"fileExists": f"{toe.folder}/begun"}}
    toe.document(
        phases=phases(
            build=[
                bash("First", "echo first >> done; echo kept value"),
                bash("Failed", "echo failed >> done; exit 3", onFailure="Ignore"),
                bash("Slow", WAIT, **{"if": never}),
                bash("Third", "echo '{{ build.First.outputs.stdout }}' >> done"),
            ],
            test=[bash("Last", "echo last >> done")],
        )
    )
    other = toe.document(bash("Other", "echo other >> done"), name="other.yml")
    command = ("-d", f"doc.yml,{other}")
    started = toe.start(*command)
    wait_until(begun(toe))
    started.signal(signal.SIGTERM)
    broken = started.end()
    assert broken.exit_code == 143
    toe.write("go", "")
    ended = toe.run(*command, "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert toe.read("done") == "first\nfailed\nkept value\nlast\nother\n"
    assert toe.read("begun") == "x\nx\n"
    assert ended.counts == ("success", 6, 0, 1)
    assert ended.summary["executionId"] == broken.summary["executionId"]
    assert ended.logs == broken.logs
    assert ended.steps["Slow"]["failureMessage"] == ""
    assert any("resumed" in line for line in ended.messages)
    again = toe.run(*command, "--resume")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "no unfinished run" in again.stderr


def test_a_loop_resumes_at_the_same_iteration(toe: Toe) -> None:
    toe.document(
        bash(
            "Loop",
            "echo {{ loop.value }} >> seen; echo out {{ loop.value }};"
            f" [ {{{{ loop.value }}}} != c ] || {{ {WAIT}; }}",
            loop={"forEach": ["a", "b", "c", "d"]},
        )
    )
    started = toe.start("-d", "doc.yml")
    wait_until(begun(toe))
    started.signal(signal.SIGINT)
    broken = started.end()
    assert broken.exit_code == 130
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert toe.read("seen") == "a\nb\nc\nc\nd\n"
    assert ended.printed("Loop") == "out a\nout b\nout c\nout d"


def test_an_interruption_does_not_cost_an_attempt(toe: Toe) -> None:
    toe.document(
        bash(
            "Try",
            f"echo t >> tries; if [ $(wc -l < tries) = 2 ]; then {WAIT}; fi; exit 1",
            maxAttempts=3,
        )
    )
    started = toe.start("-d", "doc.yml")
    wait_until(begun(toe))
    started.signal(signal.SIGINT)
    started.end()
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 1
    # The first attempt, the interrupted second, the second again, the third.
    assert toe.read("tries") == "t\n" * 4
    assert "attempt 3 of 3" in ended.summary["failures"][0]["message"]


def test_a_nested_document_resumes_in_the_middle(toe: Toe) -> None:
    toe.document(
        bash("A", "echo a >> done"), bash("B", WAIT), bash("C", "echo c >> done"), name="child.yml"
    )
    toe.document(
        action("Before", "ExecuteDocument", {"document": "small.yml"}, timeoutSeconds=-1),
        action("Nested", "ExecuteDocument", {"document": "child.yml"}, timeoutSeconds=-1),
    )
    toe.document(bash("S", "echo small >> done"), name="small.yml")
    started = toe.start("-d", "doc.yml")
    wait_until(begun(toe))
    started.signal(signal.SIGTERM)
    assert started.end().exit_code == 143
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert toe.read("done") == "small\na\nc\n"
    assert len(ended.steps["Before"]["detailedOutput"]) == 1
    assert ended.outputs("Nested")[0]["executedStepCount"] == 3


def test_a_second_ctrl_c_skips_the_grace_period(toe: Toe) -> None:
    script = "trap '' INT TERM; echo $$ > pids; echo x > begun; while :; do sleep 1; done"
    document = toe.document(bash("Stubborn", script))
    started = toe.start("-d", document)
    wait_until(begun(toe))
    start = time.monotonic()
    started.signal(signal.SIGINT)
    time.sleep(1.2)
    started.signal(signal.SIGINT)
    ended = started.end()
    assert time.monotonic() - start < limits.TERM_GRACE_SECONDS
    assert ended.exit_code == 130
    assert not any(map(alive, toe.pids()))


def test_ctrl_c_delivered_twice_at_once_counts_once(toe: Toe) -> None:
    started = toe.start("-d", toe.document(bash("Slow", WAIT)))
    wait_until(begun(toe))
    for _ in range(3):
        started.signal(signal.SIGINT)
    ended = started.end()
    assert ended.exit_code == 130
    assert ended.summary["status"] == "failed"
    assert ended.records["status"] == "failed"


def test_a_signal_stops_a_run_whose_steps_start_no_program(toe: Toe) -> None:
    document = toe.document(
        bash("First", "echo x > begun"),
        action(
            "Loop",
            "Assert",
            {"stringEquals": "a", "value": "a"},
            loop={"for": {"start": 1, "end": 10**12, "updateBy": 1}},
        ),
    )
    started = toe.start("-d", document)
    wait_until(begun(toe))
    time.sleep(0.2)
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    assert ended.statuses == {"First": "success", "Loop": "failed"}


def test_an_ignored_hang_up_stays_ignored(toe: Toe) -> None:
    document = toe.document(bash("Slow", "echo x > begun; until [ -e go ]; do sleep 0.02; done"))
    started = toe.start("-d", document, before=("nohup",))
    wait_until(begun(toe))
    started.signal(signal.SIGHUP)
    time.sleep(0.1)
    toe.write("go", "")
    assert started.end().exit_code == 0


def test_a_signal_while_a_timeout_ends_the_step_stops_the_run(toe: Toe) -> None:
    script = (
        "trap ': > begun; until [ -e go ]; do sleep .02; done; exit' TERM;"
        " echo t >> tries; while :; do sleep .05; done"
    )
    toe.document(
        bash("Slow", script, timeoutSeconds=1, maxAttempts=3), bash("Never", "touch never")
    )
    started = toe.start("-d", "doc.yml")
    wait_until((toe.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    toe.write("go", "")
    ended = started.end()
    assert ended.exit_code == 143
    assert ended.statuses == {"Slow": "failed"}
    assert toe.read("tries") == "t\n"
    assert not (toe.folder / "never").exists()


def test_the_log_has_what_an_interrupted_program_printed(toe: Toe) -> None:
    toe.document(bash("Slow", "echo $$ > pids; echo why >&2; touch begun; sleep 600"))
    started = toe.start("-d", "doc.yml")
    wait_until((toe.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    assert "CmdExecution: Stderr: why" in started.end().messages
