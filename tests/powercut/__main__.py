"""`python -m powercut [MARK...]`: cuts the power at each moment, starts again, resumes the run.

It prints one line for each cut, and what the machine printed for a cut that failed. Without qemu,
or without a built file, it prints why and exits with 0.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from powercut import cuts, machine


def main() -> int:
    parser = argparse.ArgumentParser(prog="powercut", description="Cut the power of runs.")
    parser.add_argument(
        "mark", nargs="*", metavar="MARK", help="cut only where the line has one of these words"
    )
    words = parser.parse_args().mark
    chosen = [cut for cut in cuts.CUTS if not words or any(word in cut.mark for word in words)]
    with tempfile.TemporaryDirectory(prefix="powercut-") as folder:
        work = Path(folder)
        files = {"init": cuts.INIT.encode(), "document.yml": cuts.DOCUMENT.encode()}
        try:
            made = machine.obtain(work, files)
        except machine.MachineMissing as missing:
            sys.stdout.write(f"powercut: skipped: {missing}\n")
            return 0
        passed = [passes(cut, made, work / "disk") for cut in chosen]
        return int(not all(passed))


def passes(cut: cuts.Cut, made: machine.Machine, disk: Path) -> bool:
    """Cut the power once, and report whether the run could be resumed."""
    started = time.monotonic()
    machine.make_disk(disk)
    first = made.start(disk, "run")
    cuts.run_until(first, cut.mark)
    second = made.start(disk, "resume")
    found = list(cuts.problems(cut, second))
    verdict = f"FAILED: {'; '.join(found)}" if found else "resumed"
    if not found and "there is no unfinished run" in "\n".join(second.printed):
        verdict = "nothing to resume"
    seconds = time.monotonic() - started
    sys.stdout.write(f"powercut: at '{cut.mark}': {verdict} ({seconds:.0f} s)\n")
    sys.stdout.flush()
    if found:
        for running in (first, second):
            sys.stdout.write("".join(f"  | {line}\n" for line in running.printed))
            sys.stdout.write("  --\n")
    return not found


if __name__ == "__main__":
    sys.exit(main())
