"""Runs the black-box tests on executables: `python -m conformance [SUBJECT...]`.

A subject is a target, whose executable is below dist/, the path of a file, or `all`, for every
target that has been built. The default is this machine's own target. A native executable is also
tested with the tests of the command line and of the user guide's examples; an emulated one would
take too long for that. With the executable for Windows, the tests of our own Windows code run under
Wine as well.
"""

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from awstoe.host.platforms import architecture, current
from subject import ROOT, TARGETS, Subject, SubjectMissing, file_of, find

EVERY = "all"
LIMIT_SECONDS = 3600
"""For all subjects together, as for `make test`."""
NARROW = ("tests/conformance",)
WIDE = (*NARROW, "tests/cli", "tests/guide")
UNDER_WINE = (*NARROW, "tests/windows")
OF_OTHER_TARGETS = ("tests/build/test_frozen_update.py",)
"""`make test` runs these for this machine's own target, where its toolchain exists."""


class Verdict(NamedTuple):
    """The result for one subject."""

    name: str
    text: str
    passed: bool


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("subject", nargs="*", metavar="SUBJECT", help=f"{', '.join(TARGETS)}, ...")
    parser.add_argument(
        "--select", default="", metavar="WORDS", help="run only the tests that pytest -k selects"
    )
    options = parser.parse_args()
    names = options.subject or [own_target()]
    left_out = []
    if EVERY in names:
        left_out = [name for name in TARGETS if not file_of(name).is_file()]
        names = [name for name in TARGETS if name not in left_out]
    deadline = time.monotonic() + LIMIT_SECONDS
    verdicts = [judge(name, options.select, deadline) for name in names]
    for verdict in verdicts:
        sys.stdout.write(f"conformance: {verdict.name}: {verdict.text}\n")
    if left_out:
        sys.stdout.write(
            f"conformance: left out because not built: {', '.join(left_out)}; run make build-all\n"
        )
    return int(not names or not all(verdict.passed for verdict in verdicts))


def own_target() -> str:
    return f"{current()}/{architecture(platform.machine(), pointer_bits=64)}"


def judge(name: str, select: str, deadline: float) -> Verdict:
    """Run the tests for a subject until a time of the monotonic clock, and show their output."""
    try:
        subject = find(name)
    except SubjectMissing as missing:
        return Verdict(name, str(missing), passed=False)
    sys.stdout.write(f"conformance: {name} ({subject.file or ROOT})\n")
    sys.stdout.flush()
    started = time.monotonic()
    environment = {**os.environ, "AWSTOE_SUBJECT": name}
    code, last = show(command(subject, select), environment, deadline - started)
    seconds = time.monotonic() - started
    return Verdict(name, f"{last.strip(' =')} ({seconds:.0f} s)", passed=code == 0)


def command(subject: Subject, select: str) -> list[str]:
    """Return the command that runs the tests for a subject."""
    wide = WIDE if subject.native and subject.frozen else NARROW
    chosen_folders = UNDER_WINE if subject.under_wine else wide
    others = () if subject.name == own_target() or not subject.frozen else OF_OTHER_TARGETS
    folders = [path for path in (*chosen_folders, *others) if Path(ROOT, path).exists()]
    chosen = ["-k", select] if select else []
    return [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "auto",
        "--dist",
        "worksteal",
        *chosen,
        *folders,
    ]


def show(argv: Sequence[str], environment: dict[str, str], seconds: float) -> tuple[int, str]:
    """Run a program and show its output. Return its exit code and its last line of output.

    If it does not finish in time, it is ended, and the line says so.
    """
    last = ""
    timed_out = threading.Event()
    with subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as program:

        def end() -> None:
            timed_out.set()
            program.kill()  # its workers end when their connection to it is closed

        timer = threading.Timer(max(seconds, 0), end)
        timer.start()
        assert program.stdout is not None
        for line in program.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line.strip() or last
        program.wait()
        timer.cancel()
    if timed_out.is_set():
        return 1, f"timed out: all subjects together may take {LIMIT_SECONDS} seconds"
    return program.returncode, last


if __name__ == "__main__":
    sys.exit(main())
