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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from awstoe.host.platforms import architecture, current
from subject import ROOT, TARGETS, Subject, SubjectMissing, file_of, find

EVERY = "all"
NARROW = ("tests/conformance",)
WIDE = (*NARROW, "tests/cli", "tests/guide")
UNDER_WINE = (*NARROW, "tests/windows")


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
    if EVERY in names:
        names = list(TARGETS)
        absent = [name for name in names if not file_of(name).is_file()]
        verdicts = [
            Verdict(name, f"not built: make build TARGET={name}", passed=True) for name in absent
        ]
        names = [name for name in names if name not in absent]
    else:
        verdicts = []
    verdicts += [judge(name, options.select) for name in names]
    for verdict in verdicts:
        sys.stdout.write(f"conformance: {verdict.name}: {verdict.text}\n")
    if not names:
        sys.stdout.write("conformance: no target has been built: run make build\n")
    return int(not names or not all(verdict.passed for verdict in verdicts))


def own_target() -> str:
    return f"{current()}/{architecture(platform.machine(), pointer_bits=64)}"


def judge(name: str, select: str) -> Verdict:
    """Run the tests for a subject, and show their output."""
    try:
        subject = find(name)
    except SubjectMissing as missing:
        return Verdict(name, str(missing), passed=False)
    sys.stdout.write(f"conformance: {name} ({subject.file or ROOT})\n")
    sys.stdout.flush()
    started = time.monotonic()
    code, last = show(command(subject, select), {**os.environ, "AWSTOE_SUBJECT": name})
    seconds = time.monotonic() - started
    return Verdict(name, f"{last.strip(' =')} ({seconds:.0f} s)", passed=code == 0)


def command(subject: Subject, select: str) -> list[str]:
    """Return the command that runs the tests for a subject."""
    wide = WIDE if subject.native and subject.frozen else NARROW
    chosen_folders = UNDER_WINE if subject.under_wine else wide
    folders = [path for path in chosen_folders if Path(ROOT, path).is_dir()]
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


def show(argv: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a program and show its output. Return its exit code and its last line of output."""
    last = ""
    with subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as program:
        assert program.stdout is not None
        for line in program.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line.strip() or last
    return program.returncode, last


if __name__ == "__main__":
    sys.exit(main())
