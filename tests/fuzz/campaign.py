"""Runs fuzzers side by side, in batches of numbered cases, until a limit is reached.

A case follows from the seed and its number alone, so a fault can be found again. Its files are also
saved, because an independent program of another version may judge them differently.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple, Protocol

FIRST_CASES = 10
"""In the first batch, which shows how long a case takes."""
BATCH_SECONDS = 4
"""About the time of a batch if the time is limited. By so much a campaign may exceed its time."""
ENOUGH_CASES = 300
"""A fuzzer that reaches no success in so many cases does not test what it should."""


class Fault(NamedTuple):
    """A case whose result breaks a rule."""

    case: int
    rule: str
    """Which rule, and how."""
    files: Mapping[str, bytes]
    """What shows it again, by file name."""


class Batch(NamedTuple):
    """The results of some cases."""

    counts: Counter[str]
    """How many cases had which outcome."""
    faults: Sequence[Fault]


class Fuzzer(Protocol):
    """Makes and judges the cases of one subject."""

    name: str
    cases_at_once: int
    success: str
    """The outcome of what the program accepts. The other cases end earlier in it."""

    def missing(self) -> str:
        """Return the program that is needed but not installed; empty if there is none."""

    def prepare(self) -> None:
        """Make what all cases use, before the processes that run them are started."""

    def run(self, seed: int, cases: range) -> Batch:
        """Make and judge cases."""


class Limit(NamedTuple):
    """When a campaign has done enough."""

    cases: int = 0
    """Of each fuzzer; 0 for no limit."""
    seconds: float = 0.0
    """Of all fuzzers together; 0 for no limit."""


class Tally:
    """What a fuzzer has done so far."""

    def __init__(self, fuzzer: Fuzzer) -> None:
        self.fuzzer = fuzzer
        self.started = 0
        """Number of cases that were done or are being done."""
        self.cases = 0
        self.seconds = 0.0
        """The sum over the processes that run it."""
        self.counts: Counter[str] = Counter()
        self.faults: list[Fault] = []

    def __str__(self) -> str:
        others = ", ".join(
            f"{count:,} {what}"
            for what, count in self.counts.most_common()
            if what != self.fuzzer.success
        )
        good = self.counts[self.fuzzer.success]
        return (
            f"{self.fuzzer.name}: {count_of(self.faults, 'fault')} in {self.cases:,} cases,"
            f" {self.seconds:.0f} s: {good:,} {self.fuzzer.success}"
            f" ({good / max(self.cases, 1):.0%}), {others or 'no others'}"
        )

    def add(self, cases: range, batch: Batch, seconds: float) -> None:
        """Add the results of some cases."""
        self.cases += len(cases)
        self.seconds += seconds
        self.counts += batch.counts
        self.faults += batch.faults

    def next_cases(self, limit: Limit) -> range:
        """Return the numbers of the next batch; none if all were started."""
        size = self.fuzzer.cases_at_once
        if not self.cases:
            size = min(size, FIRST_CASES)
        elif limit.seconds:
            size = max(1, min(size, int(BATCH_SECONDS * self.cases / (self.seconds or 1))))
        end = self.started + size
        found = range(self.started, min(end, limit.cases) if limit.cases else end)
        self.started = found.stop
        return found

    def expected_seconds(self) -> float:
        """Return the seconds used when all started cases are done."""
        return self.seconds * self.started / self.cases if self.cases else float(self.started)


class _Running(NamedTuple):
    tally: Tally
    cases: range
    since: float


def chance_of(seed: int, name: str, case: int) -> random.Random:
    """Return the source of everything random in a case."""
    return random.Random(f"{seed}/{name}/{case}")


def count_of(things: Sequence[object], name: str) -> str:
    """Return how many there are: ``1 fault``, ``2 faults``."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def run(
    fuzzers: Sequence[Fuzzer],
    seed: int,
    limit: Limit,
    executor: Executor,
    *,
    at_once: int = 1,
    found: Callable[[str, Fault], object] = lambda _name, _fault: None,
    progress: Callable[[Sequence[Tally]], object] = lambda _tallies: None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Tally]:
    """Run fuzzers until a limit is reached. Each of them gets the same time if time is limited.

    Args:
        fuzzers: Those to run.
        seed: Decides all cases.
        limit: When to end.
        executor: Runs the batches.
        at_once: How many batches run at the same time.
        found: Gets each fault at once.
        progress: Is called after each batch.
        clock: Seconds.
    """
    began = clock()
    tallies = [Tally(fuzzer) for fuzzer in fuzzers]
    left = list(tallies)
    running: dict[Future[Batch], _Running] = {}
    while left or running:
        while left and len(running) < at_once:
            if limit.seconds and clock() - began >= limit.seconds:
                left.clear()
                break
            tally = min(left, key=Tally.expected_seconds)
            if cases := tally.next_cases(limit):
                since = clock()
                future = executor.submit(tally.fuzzer.run, seed, cases)
                running[future] = _Running(tally, cases, since)
            else:
                left.remove(tally)
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            tally, cases, since = running.pop(future)
            batch = _result(future, cases)
            tally.add(cases, batch, clock() - since)
            for fault in batch.faults:
                found(tally.fuzzer.name, fault)
            progress(tallies)
    return tallies


def _result(future: "Future[Batch]", cases: range) -> Batch:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"a process died during a batch, perhaps in one of the cases {cases.start} to"
            f" {cases.stop - 1}"
        ) from error


def unsuccessful(tally: Tally) -> bool:
    """Whether a fuzzer never got to what it should test."""
    return tally.cases >= ENOUGH_CASES and not tally.counts[tally.fuzzer.success]


def save(name: str, seed: int, fault: Fault, folder: Path) -> Path:
    """Write the files of a fuzzer's fault below ``folder``, and return their folder."""
    place = folder / f"{name}-{seed}-{fault.case}"
    place.mkdir(parents=True, exist_ok=True)
    for file, data in fault.files.items():
        (place / file).write_bytes(data)
    about = {"fuzzer": name, "seed": seed, "case": fault.case, "rule": fault.rule}
    (place / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    return place
