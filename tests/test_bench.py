"""The benchmark: when a promise is met, and that a failed program is not measured."""

import sys
from pathlib import Path

import pytest

from bench.measuring import MeasurementFailed, Program, run, take_turns
from bench.table import Row, markdown


@pytest.mark.parametrize(
    ("ratio", "at_least", "met"),
    [(1.9, False, True), (2.1, False, False), (1.9, True, False), (2.0, True, True)],
)
def test_a_bound_is_a_maximum_or_a_minimum(ratio: float, at_least: bool, met: bool) -> None:  # noqa: FBT001
    assert Row("what", "ours", "rival", ratio, 2.0, at_least=at_least).met is met


def test_a_promise_that_is_not_met_is_in_bold() -> None:
    table = markdown([Row("slow", "3 s", "1 s", 3.0, 2.0)], ["ansible is missing"])
    assert "| slow | 3 s | 1 s | 3.00x | <= 2.00x | **not met** |" in table
    assert "ansible is missing" in table


def test_a_program_that_fails_is_not_measured(tmp_path: Path) -> None:
    program = Program((sys.executable, "-c", "raise SystemExit('no disk')"))
    with pytest.raises(MeasurementFailed, match="no disk"):
        run(program, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_peak_memory_does_not_include_the_benchmarks_own(tmp_path: Path) -> None:
    code = "import time; kept = bytearray(64 << 20); time.sleep(0.5)"
    programs = {
        "large": Program((sys.executable, "-c", code)),
        "small": Program((sys.executable, "-c", "import time; time.sleep(0.5)")),
    }
    taken = take_turns(programs, 1, tmp_path, watch_memory=True)
    assert 48 << 10 < taken["large"].peak_kib - taken["small"].peak_kib < 80 << 10
