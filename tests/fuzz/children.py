"""Runs cases in child processes, and reports what each used and how it ended.

A child is forked from this process, which has loaded the program already, and runs many cases, so
that a case takes milliseconds. One that ends its child is known by those that were reported before.
"""

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

CPU_SECONDS = 2
"""Processor time for a case."""
MEMORY_BYTES = 200 << 20
SECONDS = 300
"""Time for a case that uses no processor, because it waits."""
MEMORY_FOLDER = Path("/dev/shm")
_CRASHED = 99

Action = Callable[[], int]
"""A case; its value is the exit code."""


class Ended(NamedTuple):
    """How a case ended."""

    code: int
    """The exit code; negative for a signal."""
    cpu_seconds: float
    peak_bytes: int
    output: str
    """What it wrote to standard output and standard error."""
    note: str = ""

    def broken_rule(self) -> str:
        """Return the rule that every case must keep and this one did not; empty if none."""
        rule = self._broken_rule()
        return f"{rule}{self.note}" if rule else ""

    def _broken_rule(self) -> str:
        if self.code == _CRASHED or "Traceback" in self.output:
            return f"raises: {self.output[-600:]}"
        if "this is a bug in awstoe" in self.output:
            return f"reports a bug: {self.output[-600:]}"
        if self.code == -signal.SIGALRM:
            return f"waits for more than {SECONDS} s"
        if self.code < 0:
            return f"ended by signal {-self.code}, after {self.cpu_seconds:.1f} s"
        if self.cpu_seconds > CPU_SECONDS:
            return f"used {self.cpu_seconds:.1f} s of processor time; the limit is {CPU_SECONDS}"
        if self.peak_bytes > MEMORY_BYTES:
            return f"used {self.peak_bytes >> 20} MiB; the limit is {MEMORY_BYTES >> 20}"
        return ""


def folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a new folder, in memory if possible: thousands of cases are written there."""
    place = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=place)


def run(actions: Sequence[Action]) -> list[Ended]:
    """Run cases in as few children as possible, and return how each ended.

    One that breaks a rule is run again in a child of its own, so that no other one is to blame.
    """
    found: list[Ended] = []
    while len(found) < len(actions):
        found += _in_a_child(actions[len(found) :])
    if len(actions) > 1:
        for number, ended in enumerate(found):
            if ended.broken_rule():
                [alone] = _in_a_child([actions[number]])
                note = " (only after other cases in the same process)"
                found[number] = alone if alone.broken_rule() else ended._replace(note=note)
    return found


def _in_a_child(actions: Sequence[Action]) -> list[Ended]:
    """Run cases until all are done or one has broken a rule; at least one."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as output:
        gc.freeze()  # the child need not copy what it does not change
        child = os.fork()
        if not child:
            _become(actions, output.fileno(), writing)
        os.close(writing)
        with open(reading, "rb") as stream:
            reports = [json.loads(line) for line in stream]
        _, status, used = os.wait4(child, 0)
        output.seek(0)
        found: list[Ended] = []
        for code, cpu_seconds, peak_bytes, end in reports:
            found.append(Ended(code, cpu_seconds, peak_bytes, _text(output, end)))
        code = os.waitstatus_to_exitcode(status)
        if code or not found:
            cpu_seconds = used.ru_utime + used.ru_stime - sum(each.cpu_seconds for each in found)
            found.append(Ended(code, cpu_seconds, used.ru_maxrss << 10, _text(output, None)))
    return found


def _text(output: IO[bytes], end: int | None) -> str:
    return output.read(-1 if end is None else end - output.tell()).decode(errors="replace")


def _become(actions: Sequence[Action], output: int, reports: int) -> None:
    """Run cases in this process, which ends with them."""
    ended = _CRASHED
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # pytest has replaced them.
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for action in actions:
            if _reported(action, output, reports):
                break
        ended = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reports it
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(ended)


def _reported(action: Action, output: int, reports: int) -> bool:
    """Run a case, report how it ended, and return whether no other one should run here."""
    before = _cpu_seconds()
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(before) + CPU_SECONDS + 2, most))
    signal.alarm(SECONDS)
    try:
        code = action()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reports it
        traceback.print_exc()
        code = _CRASHED
    signal.alarm(0)
    sys.stdout.flush()
    sys.stderr.flush()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    report = [code, _cpu_seconds() - before, peak, os.lseek(output, 0, os.SEEK_CUR)]
    os.write(reports, json.dumps(report).encode() + b"\n")
    return code == _CRASHED or peak > MEMORY_BYTES


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
