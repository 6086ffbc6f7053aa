"""Standard streams that are closed, full or broken; missing locales and home folders."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.running import PATIENCE_SECONDS, Toe, bash, wait_until


def shell(toe: Toe, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run awstoe as ``"$@"`` of a shell command."""
    return subprocess.run(
        ["bash", "-c", command, "-", *toe.argv(*arguments)],
        cwd=toe.folder,
        env=toe.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "redirection", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"]
)
def test_closed_streams_do_not_affect_the_run(toe: Toe, redirection: str) -> None:
    document = toe.document(
        bash("S", "echo out; echo err >&2; cat; touch ran"), bash("F", "exit 1")
    )
    ended = shell(toe, f'"$@" {redirection}', "-d", document, "-l", "logs")
    assert ended.returncode == 1, ended
    (logs,) = toe.log_folders()
    console = (logs / "console.log").read_text()
    assert "Stdout: out\n" in console
    assert "CmdExecution: Stderr: err\n" in console
    # Output must not go to a file that was opened with the number of a closed stream.
    assert '"executionId"' not in console
    assert '"executionId"' not in (toe.state / "journal.jsonl").read_text()
    assert "awstoe: failed" not in console
    assert "awstoe: failed" not in (toe.state / "journal.jsonl").read_text()
    assert (ended.stdout == "") == (">&-" in redirection.replace("2>&-", ""))


def test_a_full_standard_output_is_an_error_and_the_run_is_finished(toe: Toe) -> None:
    ended = shell(toe, '"$@" > /dev/full', "-d", toe.document(bash("S", "touch ran")))
    assert ended.returncode == 1
    assert "cannot write the result to standard output" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
    assert (toe.folder / "ran").exists()


@pytest.mark.parametrize("option", ["--version", "-v"])
@pytest.mark.parametrize(
    ("where", "code", "expected"),
    [("> /dev/full", 1, "No space left on device"), (">&-", 0, ""), ("| true", 0, "")],
)
def test_a_version_that_cannot_be_printed_is_no_bug(
    toe: Toe, option: str, where: str, code: int, expected: str
) -> None:
    """The shortest command has a way of its own, which loads nothing."""
    argv = [sys.executable, "-m", "awstoe", option]
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$@" {where}', "bash", *argv],
        env=toe.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == bool(expected)


def test_a_full_standard_error_does_not_stop_the_run(toe: Toe) -> None:
    ended = shell(toe, '"$@" 2> /dev/full', "-d", toe.document(bash("S", "true")))
    assert ended.returncode == 0
    assert '"status": "success"' in ended.stdout


def test_a_reader_that_closed_the_pipe_is_not_an_error(toe: Toe) -> None:
    ended = shell(
        toe,
        '"$@" 2>&1 > >(exec true) | cat; exit ${PIPESTATUS[0]}',
        "-d",
        toe.document(bash("S", "sleep 0.1")),
    )
    assert ended.returncode == 0
    assert "Traceback" not in ended.stdout
    assert "BrokenPipe" not in ended.stdout


def test_trace_into_a_pipe_without_a_reader_ends_with_the_run(toe: Toe) -> None:
    ended = shell(toe, '"$@" --trace 2> >(exec true)', "-d", toe.document(bash("S", "sleep 0.1")))
    assert ended.returncode == 0
    assert '"status": "success"' in ended.stdout


@pytest.mark.parametrize("locale", ["xx_YY.UTF-8", "C", "POSIX", "de_DE.ISO-8859-1", ""])
def test_any_locale_works(toe: Toe, locale: str) -> None:
    toe.environment["LC_ALL"] = locale
    document = toe.document(bash("S", "echo 'Grüße ✓'"))
    ended = toe.run("-d", document, "-i", "é")
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("S") == "Grüße ✓"
    assert ended.summary["executionId"] == "é"


def test_no_home_is_needed_with_a_state_directory(toe: Toe) -> None:
    del toe.environment["HOME"], toe.environment["XDG_STATE_HOME"]
    assert toe.run("-d", toe.document(bash("S", "true"))).exit_code == 0


def test_a_removed_working_directory_is_explained(toe: Toe) -> None:
    document = toe.document(bash("S", "true"))
    ended = shell(
        toe,
        'mkdir gone; cd gone; rmdir ../gone; exec "$@"',
        "-d",
        str(toe.folder / document),
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "awstoe: error: " in ended.stderr
    assert '"status": "failed"' in ended.stdout


def test_a_result_is_complete_in_a_full_nonblocking_pipe(toe: Toe) -> None:
    failing = "head -c 4000 /dev/zero | tr '\\0' x | fold -w 250 >&2; exit 1"
    document = toe.document(
        *(bash(f"S{number}", failing, onFailure="Continue") for number in range(20))
    )
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    child = subprocess.Popen(
        toe.argv("-d", document, "--quiet"),
        cwd=toe.folder,
        env=toe.environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    wait_until(lambda: "Execution failed!" in "".join(map(console, toe.log_folders())))
    time.sleep(0.3)  # the pipe is full now
    with open(reader, "rb") as pipe:
        data = pipe.read()
    assert child.wait(PATIENCE_SECONDS) == 1
    assert len(data) > 65536
    assert len(json.loads(data)["failures"]) == 20


def console(logs: Path) -> str:
    path = logs / "console.log"
    return path.read_text() if path.exists() else ""
