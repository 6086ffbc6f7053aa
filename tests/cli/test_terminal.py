"""Live progress on a terminal: shown on standard error, and removed at the end."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from cli.running import PATIENCE_SECONDS, Toe, alive, bash, wait_until

COLUMNS = 80
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
COLOR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _take_terminal() -> None:
    """Make standard input the controlling terminal, whose Ctrl-C reaches this program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A pseudo-terminal for a program whose standard output goes to a pipe."""

    def __init__(self, toe: Toe) -> None:
        self.toe = toe
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.shown = ""
        self.child: subprocess.Popen[str] | None = None

    def run(self, *arguments: str, **environment: str) -> None:
        self.child = subprocess.Popen(
            self.toe.argv(*arguments),
            cwd=self.toe.folder,
            env={**self.toe.environment, "TERM": "xterm-256color", **environment},
            stdin=self.slave,
            stdout=subprocess.PIPE,
            stderr=self.slave,
            text=True,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - the test has no threads
        )
        self.toe.started.append(self.child)

    def watch(self, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Read what is shown until ``holds``."""
        over = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < over, f"still waiting; shown: {self.shown!r}"
            if select.select([self.master], [], [], 0.02)[0]:
                self.shown += os.read(self.master, 65536).decode(errors="replace")

    def end(self) -> tuple[int, str]:
        """Wait for the program. Return its exit code and standard output."""
        child = self.child
        assert child is not None
        self.watch(lambda: child.poll() is not None)
        while select.select([self.master], [], [], 0.05)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")
        assert child.stdout is not None
        return child.returncode, child.stdout.read()

    def text(self) -> str:
        return SEQUENCE.sub("", self.shown)

    def screen(self) -> list[str]:
        """Return the lines of the screen, as a terminal without a lower edge shows them."""
        rows, row, column = [""], 0, 0
        for sequence, character in re.findall(r"(\x1b\[[0-9;?]*[A-Za-z])|([^\x1b])", self.shown):
            if sequence.endswith("A"):
                row = max(0, row - int(sequence[2:-1] or 1))
            elif sequence.endswith("K"):
                rows[row] = "" if sequence == "\x1b[2K" else rows[row][:column]
            elif character == "\r":
                column = 0
            elif character:
                if character == "\n" or column == COLUMNS:
                    row, column = row + 1, 0 if character != "\n" else column
                    rows += [""] * (row - len(rows) + 1)
                if character != "\n":
                    rows[row] = f"{rows[row][:column]:{column}}{character}{rows[row][column + 1 :]}"
                    column += 1
        return rows

    def is_clean(self) -> bool:
        """Whether the cursor is visible at the start of a line, and the modes are unchanged."""
        last = self.text().replace("\r\n", "\n").rpartition("\n")[2]
        return (
            self.shown.rfind(SHOW) >= self.shown.rfind(HIDE)
            and termios.tcgetattr(self.slave) == self.before
            and "\x1b[?1049h" not in self.shown
            and not last.strip("\r")
        )


@pytest.fixture
def terminal(toe: Toe) -> Iterator[Terminal]:
    new_terminal = Terminal(toe)
    yield new_terminal
    os.close(new_terminal.master)
    os.close(new_terminal.slave)


def test_progress_is_shown_and_standard_output_has_only_the_result(
    toe: Toe, terminal: Terminal
) -> None:
    document = toe.document(
        bash("Slow", "echo working hard; until [ -e go ]; do sleep 0.02; done"),
        bash("Bad", "echo why >&2; exit 3", onFailure="Ignore"),
    )
    terminal.run("-d", document)
    terminal.watch(lambda: "build/Slow (ExecuteBash)" in terminal.text())
    terminal.watch(lambda: "working hard" in terminal.text())
    terminal.watch(lambda: "0:01" in terminal.text())  # the elapsed time advances
    toe.write("go", "")
    exit_code, stdout = terminal.end()
    assert exit_code == 0
    assert json.loads(stdout)["status"] == "success"
    assert "\x1b" not in stdout
    assert "doc.yml: phase build" in terminal.text()
    assert re.search(r"✔ build/Slow +\d", terminal.text())
    assert "! build/Bad" in terminal.text()
    assert "exit code 3" in terminal.text()
    assert COLOR.search(terminal.shown)
    assert terminal.is_clean()


@pytest.mark.parametrize("way", ["NO_COLOR", "--no-color"])
def test_colors_can_be_switched_off(toe: Toe, terminal: Terminal, way: str) -> None:
    document = toe.document(bash("Good", "true"), bash("Bad", "exit 3"))
    more = [] if way == "NO_COLOR" else [way]
    terminal.run("-d", document, *more, **({"NO_COLOR": "1"} if way == "NO_COLOR" else {}))
    exit_code, _ = terminal.end()
    assert exit_code == 1
    assert "build/Good" in terminal.text()
    assert not re.search(r"\x1b\[(3|4|9|10)\d", terminal.shown)
    assert terminal.is_clean()


@pytest.mark.parametrize("line", ["short", "long" * 30])
def test_ctrl_c_leaves_a_clean_terminal_and_no_process(
    toe: Toe, terminal: Terminal, line: str
) -> None:
    script = f"echo {line}; echo $$ > pids; touch begun; sleep 600"
    terminal.run("-d", toe.document(bash("Slow", script)))
    wait_until((toe.folder / "begun").exists)
    terminal.watch(lambda: line[:20] in terminal.text())
    os.write(terminal.master, b"\x03")
    exit_code, stdout = terminal.end()
    assert exit_code == 130
    assert "Interrupted by SIGINT" in json.loads(stdout)["failureMessage"]
    assert terminal.is_clean()
    assert re.search(r"✘ build/Slow +[0-9.]+ s\r?\n", terminal.text())
    assert not [row for row in terminal.screen() if "(ExecuteBash)" in row]
    assert not any(map(alive, toe.pids()))


def test_a_program_cannot_control_the_terminal(toe: Toe, terminal: Terminal) -> None:
    script = (
        r"printf '\033[?1049h' >&2; sleep 0.1;"
        r" printf '\033]0;title\007\033[2Jshown\n'; sleep 0.4; exit 1"
    )
    terminal.run("-d", toe.document(bash("Odd", script)))
    assert terminal.end()[0] == 1
    for sequence in ("\x1b]0;", "\x07", "\x1b[2J", "\x1b[?1049h"):
        assert sequence not in terminal.shown
    assert "shown" in terminal.text()


def test_output_is_shown_as_it_is_and_cut_at_the_edge(toe: Toe, terminal: Terminal) -> None:
    wait = "until [ -e go ]; do sleep 0.02; done; rm go"
    document = toe.document(
        bash("Markup", f"echo 'a [bold]b[/bold] [/none]'; {wait}"),
        bash("Long", f"echo start $(head -c 900 /dev/zero | tr '\\0' x); {wait}"),
        bash("InParts", f"printf '10 %%\\r20 %%'; sleep 0.1; echo; {wait}"),
    )
    terminal.run("-d", document)
    terminal.watch(lambda: "a [bold]b[/bold] [/none]" in terminal.text())
    toe.write("go", "")
    terminal.watch(lambda: "start xxxx" in terminal.text())
    terminal.watch(lambda: "…" in terminal.text())
    toe.write("go", "")
    terminal.watch(lambda: re.search(r"InParts .* 0:01 20 %", terminal.text()) is not None)
    toe.write("go", "")
    assert terminal.end()[0] == 0
    assert "x" * 80 not in terminal.text()
    assert terminal.is_clean()


@pytest.mark.parametrize("option", ["--quiet", "--trace"])
def test_live_progress_is_off_if_it_is_not_wanted(
    toe: Toe, terminal: Terminal, option: str
) -> None:
    terminal.run("-d", toe.document(bash("Good", "true")), option)
    assert terminal.end()[0] == 0
    assert "\x1b" not in terminal.shown
    assert (terminal.shown == "") == (option == "--quiet")


def test_a_dumb_terminal_gets_plain_lines(toe: Toe, terminal: Terminal) -> None:
    terminal.run("-d", toe.document(bash("Good", "true")), TERM="dumb")
    assert terminal.end()[0] == 0
    assert "\x1b" not in terminal.shown
    assert "build/Good: success" in terminal.shown


def test_a_closed_terminal_does_not_stop_the_records(toe: Toe) -> None:
    terminal = Terminal(toe)
    terminal.run("-d", toe.document(bash("Slow", "echo $$ > pids; touch begun; sleep 600")))
    wait_until((toe.folder / "begun").exists)
    os.close(terminal.slave)
    os.close(terminal.master)  # the kernel sends SIGHUP, and writing to the terminal fails
    child = terminal.child
    assert child is not None
    assert child.stdout is not None
    stdout = child.stdout.read()
    assert child.wait(PATIENCE_SECONDS) == 143
    assert "Interrupted by SIGHUP" in json.loads(stdout)["failureMessage"]
    assert not any(map(alive, toe.pids()))
