"""Console events, received by another interpreter with a console of its own."""

import subprocess
import sys
import time

import pytest

from awstoe import limits
from awstoe.errors import Interrupted
from awstoe.host import kernel32_windows
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.windows import signals

assert sys.platform == "win32"

PROGRAM = """
import ctypes, os, subprocess, sys, threading
from awstoe.errors import Interrupted
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption

def ctrl_c():
    ctypes.windll.kernel32.GenerateConsoleCtrlEvent(0, 0)

begun = threading.Event()
below = []

def on_stdout(data):
    below.extend(data.split())
    threading.Thread(target=ctrl_c).start()

with Interruption() as interruption:
    try:
        end = children.run(
            [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True);"
             "time.sleep(600)"],
            environment=dict(os.environ), on_stdout=on_stdout, on_stderr=print, deadline=None,
            interruption=interruption)
        print("ended", end.exit_code)
    except Interrupted as error:
        print("interrupted", error.signal_number, interruption.hard)
print("left", children.identity(int(below[0])))
"""


def test_ctrl_c_ends_the_step_and_is_a_sigint() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        creationflags=subprocess.CREATE_NO_WINDOW,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["interrupted 2 False", "left None"]


@pytest.mark.parametrize(
    ("kind", "number", "urgent"),
    [(0, 2, False), (1, 15, False), (2, 15, True), (5, 15, True), (6, 15, True)],
    ids=["ctrl-c", "ctrl-break", "close", "logoff", "shutdown"],
)
def test_each_event_is_a_signal(
    monkeypatch: pytest.MonkeyPatch, kind: int, number: int, *, urgent: bool
) -> None:
    monkeypatch.setattr(signals, "_UNTIL_THE_SYSTEM_ENDS_US", 0.0)
    received: list[tuple[int, bool]] = []
    source = signals.Source(lambda number, urgent=False: received.append((number, urgent)))
    try:
        assert not kernel32_windows.is_set(source.fileno())
        assert source.handle(kind)
        assert kernel32_windows.is_set(source.fileno())
        source.clear()
        assert not kernel32_windows.is_set(source.fileno())
    finally:
        source.close()
    assert received == [(number, urgent)]


def test_other_events_are_not_handled() -> None:
    source = signals.Source(lambda number, urgent=False: pytest.fail(f"{number} {urgent}"))
    assert not source.handle(77)
    source.close()


def test_a_log_off_does_not_stop_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel32_windows, "session", lambda: 0)
    source = signals.Source(lambda number, urgent=False: pytest.fail(f"{number} {urgent}"))
    assert source.handle(5)
    source.close()


def test_closed_console_shortens_the_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_UNTIL_THE_SYSTEM_ENDS_US", 0.0)
    monkeypatch.setattr(limits, "URGENT_GRACE_SECONDS", 0.3)
    with Interruption() as interruption:
        signals.stop()
        assert interruption.signal_number == 15
        interruption.received(15, urgent=True)
        hard = [interruption.hard]
        time.sleep(0.4)
        hard.append(interruption.hard)
        assert hard == [False, True]
        with pytest.raises(Interrupted):
            interruption.check()
