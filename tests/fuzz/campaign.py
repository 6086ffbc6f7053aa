"""Runs fuzzers: batches of numbered cases until a number of cases or a time is reached.

A case follows from the seed and its number alone, so a fault can be found again. Its files are also
saved, because an independent program of another version may judge them differently.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


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

    def missing(self) -> str:
        """Return the program that is needed but not installed; empty if there is none."""

    def run(self, seed: int, cases: range) -> Batch:
        """Make and judge cases."""


class Limit(NamedTuple):
    """When a fuzzer has done enough."""

    cases: int = 0
    """0 for no limit."""
    seconds: float = 0.0
    """0 for no limit."""


class Tally(NamedTuple):
    """What a fuzzer has done."""

    name: str
    cases: int
    seconds: float
    counts: Counter[str]
    faults: Sequence[Fault]

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return (
            f"{self.name}: {self.cases} cases in {self.seconds:.0f} s,"
            f" {len(self.faults)} faults ({outcomes})"
        )


def chance_of(seed: int, name: str, case: int) -> random.Random:
    """Return the source of everything random in a case."""
    return random.Random(f"{seed}/{name}/{case}")


def run(
    fuzzer: Fuzzer,
    seed: int,
    limit: Limit,
    found: Callable[[Fault], object] = lambda _: None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Tally:
    """Run a fuzzer until one of its limits is reached; pass each fault to ``found`` at once."""
    started, done = clock(), 0
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    while not limit.cases or done < limit.cases:
        if limit.seconds and clock() - started >= limit.seconds:
            break
        end = done + fuzzer.cases_at_once
        batch = fuzzer.run(seed, range(done, min(end, limit.cases) if limit.cases else end))
        done = min(end, limit.cases) if limit.cases else end
        counts += batch.counts
        faults += batch.faults
        for fault in batch.faults:
            found(fault)
    return Tally(fuzzer.name, done, clock() - started, counts, faults)


def save(name: str, seed: int, fault: Fault, folder: Path) -> Path:
    """Write the files of a fuzzer's fault below ``folder``, and return their folder."""
    place = folder / f"{name}-{seed}-{fault.case}"
    place.mkdir(parents=True, exist_ok=True)
    for file, data in fault.files.items():
        (place / file).write_bytes(data)
    about = {"fuzzer": name, "seed": seed, "case": fault.case, "rule": fault.rule}
    (place / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    return place
