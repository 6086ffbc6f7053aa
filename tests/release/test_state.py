"""The state of a release: what steps read of each other's results."""

from pathlib import Path

import pytest

from awstoe_release import state
from awstoe_release.failure import ReleaseFailure
from awstoe_release.state import RegionRecord, State, Status


def test_results_by_region_are_read_as_recorded(tmp_path: Path) -> None:
    records = {
        "eu-west-1": RegionRecord(passed=True, facts={"files": 3}),
        "us-east-1": RegionRecord(passed=False, failure="the bucket does not exist"),
    }
    made = State.open(str(tmp_path), version="1.0.0", commit="c")
    regions = {name: each.as_json() for name, each in records.items()}
    made.record("publish", Status.INCOMPLETE, seconds=1, facts={"regions": regions})
    again = State.open(str(tmp_path), version="1.0.0", commit="c")
    assert again.regions("publish") == records
    assert again.regions("promote") == {}


def test_the_json_of_a_region_has_its_facts_next_to_the_verdict() -> None:
    record = RegionRecord(passed=False, failure="denied", facts={"sent": 2})
    assert record.as_json() == {"passed": False, "sent": 2, "failure": "denied"}
    assert RegionRecord(passed=True).as_json() == {"passed": True}


def test_a_missing_file_has_no_checksum(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailure, match="missing cannot be read: No such file") as caught:
        state.sha256_of(str(tmp_path / "missing"))
    assert "awstoe-release run --from build" in (caught.value.hint or "")


def test_the_lock_is_free_after_the_block_and_names_its_holder_while_it_is_not(
    tmp_path: Path,
) -> None:
    with state.locked(str(tmp_path)):
        with pytest.raises(ReleaseFailure, match=r"another release is running \(process \d+\)"):
            state.locked(str(tmp_path)).__enter__()
        (tmp_path / "release.lock").write_text("")
        with pytest.raises(ReleaseFailure, match=r"\(process unknown\)"):
            state.locked(str(tmp_path)).__enter__()
    with state.locked(str(tmp_path)):
        pass
