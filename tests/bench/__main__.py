"""`python -m bench [PART...]`: measures, and prints the table for the README.

It writes only below out/bench, and leaves its files there. A part that fails is reported below the
table, and the exit code is 1.
"""

import argparse
import sys
from pathlib import Path

from bench.measuring import MeasurementFailed, empty
from bench.parts import PARTS, Bench
from bench.rivals import RivalMissing
from bench.table import Row, markdown

FOLDER = Path(__file__).parents[2] / "out" / "bench"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench", description="Compare awstoe with other programs."
    )
    parser.add_argument("part", nargs="*", metavar="PART", help=f"any of: {' '.join(PARTS)}")
    chosen = parser.parse_args().part or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; choose from: {' '.join(PARTS)}")

    bench = Bench(FOLDER / "work", FOLDER / "venv")
    rows: list[Row] = []
    notes: list[str] = []
    failed = False
    for name in chosen:
        sys.stderr.write(f"bench: {name}\n")
        empty(bench.work)
        try:
            rows += PARTS[name](bench)
        except RivalMissing as error:
            notes.append(str(error))
        except MeasurementFailed as error:
            notes.append(f"{name} could not be measured: {error}")
            failed = True
    empty(bench.work)
    table = markdown(rows, notes)
    (FOLDER / "table.md").write_text(table)
    sys.stdout.write(table)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
