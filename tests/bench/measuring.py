"""Runs programs one after the other and takes their wall time and peak memory.

Rivals and we take turns (``take_turns``), so that a machine that slows down slows all alike, and
the best of the turns counts: what else the machine does only ever adds. The benchmark's own process
must stay small: a child's peak memory is read from /proc, never from ``ru_maxrss``, which includes
the parent's image from before the exec.
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


class Taken(NamedTuple):
    """What one run of a program took."""

    seconds: float
    peak_kib: int


class MeasurementFailed(Exception):
    """A measured program did not do its work."""


def run(
    program: Program, folder: Path, *, watch_memory: bool = False, family: bool = False
) -> Taken:
    """Run ``program`` in ``folder`` to its end, its output thrown away.

    Args:
        program: The program.
        folder: Its working directory.
        watch_memory: Whether its peak memory is taken.
        family: Whether its child counts as well: a built file has a boot loader above it.

    Raises:
        MeasurementFailed: It ended with a failure.
    """
    program.prepare()
    # What the program before has written must not be written out at the cost of this one.
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
    return Taken(seconds, peak)


def watch(child: "subprocess.Popen[bytes]", *, family: bool = False) -> int:
    """The peak resident memory of ``child`` alone or with its own first child, in KiB."""
    peaks: dict[int, int] = {}
    while child.poll() is None:
        first = first_child(child.pid) if family else []
        for pid in (child.pid, *first):
            peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
        time.sleep(POLL_SECONDS)
    return sum(peaks.values())


def peak_of(pid: int) -> int:
    """The peak resident memory of a process so far, in KiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) if lines else 0


def first_child(pid: int) -> list[int]:
    """The oldest child process, if there is one."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()][
            :1
        ]
    except OSError:
        return []


def take_turns(
    programs: Mapping[str, Program], turns: int, folder: Path, *, watch_memory: bool = False
) -> dict[str, Taken]:
    """The best time and the highest peak of each program over ``turns`` interleaved runs.

    Raises:
        MeasurementFailed: One of them ended with a failure.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            taken[name].append(run(program, folder, watch_memory=watch_memory))
    return {
        name: Taken(min(each.seconds for each in runs), max(each.peak_kib for each in runs))
        for name, runs in taken.items()
    }


def empty(folder: Path) -> None:
    """Make ``folder`` anew, and let the disk finish what earlier turns wrote."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.sync()


def size_of(folder: Path) -> int:
    """The bytes of all files below ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
