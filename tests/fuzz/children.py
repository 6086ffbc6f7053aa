"""Runs a case in a child process, and reports what it used and how it ended.

A child is forked from this process, which has loaded the program already, so that a case takes
milliseconds.
"""

import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import NamedTuple

CPU_SECONDS = 2
"""Processor time for a case."""
MEMORY_BYTES = 200 << 20
_CRASHED = 99


class Ended(NamedTuple):
    """How a child ended."""

    code: int
    """The exit code; negative for a signal."""
    cpu_seconds: float
    peak_bytes: int
    output: str
    """What it wrote to standard output and standard error."""

    def broken_rule(self) -> str:
        """Return the rule that every case must keep and this one did not; empty if none."""
        if self.code == _CRASHED or "Traceback" in self.output:
            return f"raises: {self.output[-600:]}"
        if "this is a bug in awstoe" in self.output:
            return f"reports a bug: {self.output[-600:]}"
        if self.code < 0:
            return f"ended by signal {-self.code}, after {self.cpu_seconds:.1f} s"
        if self.cpu_seconds > CPU_SECONDS:
            return f"used {self.cpu_seconds:.1f} s of processor time; the limit is {CPU_SECONDS}"
        if self.peak_bytes > MEMORY_BYTES:
            return f"used {self.peak_bytes >> 20} MiB; the limit is {MEMORY_BYTES >> 20}"
        return ""


def run(action: Callable[[], int]) -> Ended:
    """Run ``action`` in a child, and return how it ended; its value is the exit code."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            _become(action, output.fileno())
        _, status, used = os.wait4(child, 0)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Ended(
        os.waitstatus_to_exitcode(status),
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * 1024,
        text,
    )


def _become(action: Callable[[], int], output: int) -> None:
    code = _CRASHED
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # pytest has replaced them.
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS + 1, CPU_SECONDS + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = action()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reports it
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
