"""`python -m fuzz`: looks for inputs that break a rule, and saves those that it finds.

It writes only below out/fuzz. The exit code is 1 if something was found.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fuzz import campaign
from fuzz.authenticode import Authenticode
from fuzz.bundles import Bundles
from fuzz.campaign import Fault, Fuzzer, Limit, Tally
from fuzz.documents import Documents
from fuzz.openpgp import OpenPgp

FOLDER = Path(__file__).parents[2] / "out" / "fuzz"
FUZZERS: dict[str, type[Fuzzer]] = {
    "openpgp": OpenPgp,
    "authenticode": Authenticode,
    "documents": Documents,
    "bundles": Bundles,
}
CASES = 10_000
PROGRESS_SECONDS = 60
INTERRUPTED = 130


def main() -> int:
    began = time.monotonic()
    options = read_options()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    say(f"seed {seed}; repeat with SEED={seed}")
    fuzzers: list[Fuzzer] = []
    for name in options.fuzzers:
        fuzzer = FUZZERS[name]()
        if needed := fuzzer.missing():
            say(f"{name}: left out: {needed} is not installed")
        else:
            fuzzer.prepare()
            fuzzers.append(fuzzer)
    limit = Limit(cases=options.cases)
    if options.minutes:
        limit = Limit(seconds=max(1, options.minutes * 60 - (time.monotonic() - began)))
    at_once = len(os.sched_getaffinity(0))
    # Forked processes have what prepare() has made.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(at_once, context, initializer=ignore_interrupts) as executor:
        try:
            tallies = campaign.run(
                fuzzers,
                seed,
                limit,
                executor,
                at_once=at_once,
                found=lambda name, fault: report(name, seed, fault),
                progress=Progress(began),
            )
        except KeyboardInterrupt:
            say("interrupted")
            executor.shutdown(wait=False, cancel_futures=True)
            return INTERRUPTED
    return summarize(tallies, time.monotonic() - began)


def summarize(tallies: Sequence[Tally], seconds: float) -> int:
    """Print what was done, and return the exit code."""
    wrong = False
    for tally in tallies:
        say(str(tally))
        wrong = wrong or bool(tally.faults)
        if campaign.unsuccessful(tally):
            say(f"{tally.fuzzer.name}: no case was {tally.fuzzer.success}: the fuzzer is at fault")
            wrong = True
    faults = [fault for tally in tallies for fault in tally.faults]
    say(f"{campaign.count_of(faults, 'fault')} in {seconds:.0f} s")
    return 1 if wrong else 0


class Progress:
    """Prints a line about every minute."""

    def __init__(self, began: float) -> None:
        self._began = self._last = began

    def __call__(self, tallies: Sequence[Tally]) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            done = ", ".join(f"{each.fuzzer.name} {each.cases:,}" for each in tallies)
            say(f"after {now - self._began:.0f} s: {done}")


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def report(name: str, seed: int, fault: Fault) -> None:
    place = campaign.save(name, seed, fault, FOLDER)
    say(f"{name}: case {fault.case}: {fault.rule}: see {place}")


def say(text: str) -> None:
    sys.stderr.write(f"fuzz: {text}\n")
    sys.stderr.flush()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fuzz", description="Look for inputs that break a rule of the program."
    )
    names = " ".join(FUZZERS)
    parser.add_argument("fuzzers", nargs="*", metavar="FUZZER", help=f"any of: {names}")
    parser.add_argument("--cases", type=int, default=CASES, help="of each (default: %(default)s)")
    parser.add_argument("--minutes", type=float, help="for all together, instead of --cases")
    parser.add_argument("--seed", type=int, help="repeat the run that printed it")
    options = parser.parse_args()
    options.fuzzers = options.fuzzers or list(FUZZERS)
    if unknown := [name for name in options.fuzzers if name not in FUZZERS]:
        parser.error(f"there is no fuzzer {unknown[0]!r}; choose from: {names}")
    return options


if __name__ == "__main__":
    sys.exit(main())
