"""Runs programs one after the other and measures their wall time and peak memory.

The programs take turns (``take_turns``), so that a slower machine slows all of them, and the best
of the turns counts, because other work on the machine can only add time. A child's peak memory is
read from /proc and not from ``ru_maxrss``, which includes the parent's memory from before the exec.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.01


class Program(NamedTuple):
    """One program to measure."""

    argv: Sequence[str | Path]
    prepare: Callable[[], None] = lambda: None
    """Run before each turn, outside the measured time."""


class Measurement(NamedTuple):
    """The time and memory that one run of a program took."""

    seconds: float
    peak_kib: int


class MeasurementFailed(Exception):
    """A measured program failed."""


def run(
    program: Program, folder: Path, *, watch_memory: bool = False, family: bool = False
) -> Measurement:
    """Run ``program`` in ``folder`` and discard its output.

    Args:
        program: The program.
        folder: Its working directory.
        watch_memory: Whether to measure its peak memory.
        family: Whether to add the memory of its child: a built file starts as a bootloader.

    Raises:
        MeasurementFailed: Its exit code is not 0.
    """
    program.prepare()
    # Otherwise the disk would write the output of the previous program during this one.
    os.sync()
    errors = folder / "stderr"
    with errors.open("wb") as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(
            program.argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        peak = watch(child, family=family) if watch_memory else 0
        code = child.wait()
        seconds = time.perf_counter() - start
    if code:
        raise MeasurementFailed(
            f"{' '.join(map(str, program.argv))} ended with exit code {code}:\n"
            f"{errors.read_text(errors='replace')[-1000:]}"
        )
    return Measurement(seconds, peak)


def watch(child: "subprocess.Popen[bytes]", *, family: bool = False) -> int:
    """Return the peak resident memory of ``child``, with its first child or without, in KiB."""
    peaks: dict[int, int] = {}
    while child.poll() is None:
        first = first_child(child.pid) if family else []
        for pid in (child.pid, *first):
            peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
        time.sleep(POLL_SECONDS)
    return sum(peaks.values())


def peak_of(pid: int) -> int:
    """Return the peak resident memory of a process so far, in KiB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) if lines else 0


def first_child(pid: int) -> list[int]:
    """Return the oldest child process, if there is one."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()][
            :1
        ]
    except OSError:
        return []


def take_turns(
    programs: Mapping[str, Program], turns: int, folder: Path, *, watch_memory: bool = False
) -> dict[str, Measurement]:
    """Return the best time and the highest peak of each program over ``turns`` interleaved runs.

    Raises:
        MeasurementFailed: A program failed.
    """
    measured: dict[str, list[Measurement]] = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            measured[name].append(run(program, folder, watch_memory=watch_memory))
    return {
        name: Measurement(min(each.seconds for each in runs), max(each.peak_kib for each in runs))
        for name, runs in measured.items()
    }


def empty(folder: Path) -> None:
    """Create ``folder`` again, empty, and wait until the disk has written the earlier files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.sync()


def size_of(folder: Path) -> int:
    """Return the size of all files below ``folder``, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
