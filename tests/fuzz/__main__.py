"""`python -m fuzz`: looks for inputs that break a rule, and saves those that it finds.

It writes only below out/fuzz. The exit code is 1 if something was found.
"""

import argparse
import functools
import random
import sys
from pathlib import Path

from fuzz import campaign
from fuzz.authenticode import Authenticode
from fuzz.bundles import Bundles
from fuzz.campaign import Fault, Fuzzer, Limit
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


def main() -> int:
    options = read_options()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    limit = Limit(cases=options.cases)
    if options.minutes:
        limit = Limit(seconds=options.minutes * 60 / len(options.fuzzers))
    sys.stderr.write(f"fuzz: seed {seed}; repeat with SEED={seed}\n")
    found = 0
    for name in options.fuzzers:
        fuzzer = FUZZERS[name]()
        if needed := fuzzer.missing():
            sys.stderr.write(f"fuzz: {name}: left out: {needed} is not installed\n")
            continue
        tally = campaign.run(fuzzer, seed, limit, functools.partial(report, name, seed))
        sys.stderr.write(f"fuzz: {tally}\n")
        found += len(tally.faults)
    return min(found, 1)


def report(name: str, seed: int, fault: Fault) -> None:
    place = campaign.save(name, seed, fault, FOLDER)
    sys.stderr.write(f"fuzz: {name}: case {fault.case}: {fault.rule}: see {place}\n")


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
