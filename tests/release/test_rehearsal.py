"""The quick form of the rehearsal: all steps, with stand-ins for built programs."""

import json
import platform
import re
import shutil
import sys
from pathlib import Path

import pytest

from awstoe_release import source_tree
from awstoe_release.failure import ReleaseFailure
from awstoe_release.rehearsal import rehearse
from awstoe_release.rehearsal.rehearse import RegionVerdict, RehearsalOptions, Result
from awstoe_release.rehearsal.server import Buckets
from awstoe_release.release import REPOSITORY
from awstoe_release.steps.prove_update import Proof
from fakes import standin_program
from fakes.release_world import TARGETS

pytestmark = pytest.mark.slow

NOT_BUILT = ("inspect", "conformance")


def test_a_rehearsal_releases_installs_and_updates(
    tmp_path: Path, settings: Path, keys: str
) -> None:
    folder = tmp_path / "rehearsal"
    shutil.copytree(keys, folder / "keys")
    version = source_tree.version(REPOSITORY)
    older = source_tree.older(version)
    trust = str(folder / "keys/trust")
    options = RehearsalOptions(
        out=str(tmp_path),
        targets=TARGETS,
        files=str(standin_program.write(tmp_path / "new", version, TARGETS, trust)),
        older=str(standin_program.write(tmp_path / "old", older, TARGETS, trust)),
        without=NOT_BUILT,
        folder=str(settings),
    )
    lines: list[str] = []
    assert rehearse.run(options, lines.append) == 0, "\n".join(lines)
    table = next(text for text in lines if text.startswith("region "))
    rows = {line.split()[0]: line for line in table.splitlines()[2:]}
    assert set(rows) == {"eu-north-1", "us-east-1", "ap-south-1"}
    assert rows["eu-north-1"].count(f"good, {older} -> {version} -> {older}") == 2
    assert rows["us-east-1"].count(f"good, {older} -> {version} -> {older}") == 1
    assert rows["us-east-1"].endswith("good, same files")
    result = json.loads((folder / "result.json").read_text())
    assert result["installed"] == f"awstoe {version}"
    assert all(row["signatures"] and row["promoted"] for row in result["regions"].values())


def test_a_rehearsal_does_not_install_without_a_program_for_this_machine(
    tmp_path: Path, settings: Path, keys: str
) -> None:
    folder = tmp_path / "rehearsal"
    shutil.copytree(keys, folder / "keys")
    targets = ("linux/arm64" if platform.machine() == "x86_64" else "linux/amd64",)
    version = source_tree.version(REPOSITORY)
    older = source_tree.older(version)
    trust = str(folder / "keys/trust")
    options = RehearsalOptions(
        out=str(tmp_path),
        targets=targets,
        files=str(standin_program.write(tmp_path / "new", version, targets, trust)),
        older=str(standin_program.write(tmp_path / "old", older, targets, trust)),
        without=(*NOT_BUILT, "prove-update"),
        folder=str(settings),
    )
    lines: list[str] = []
    assert rehearse.run(options, lines.append) == 0, "\n".join(lines)
    assert "install.sh: not tested: none of these programs is for this machine" in lines


def test_the_table_shows_what_was_proven_and_what_failed() -> None:
    proof = Proof(before="1.0.0", after="1.1.0", back="1.0.0")
    good = RegionVerdict(signatures=True, promoted=True, updates={"linux/amd64": proof})
    bad = RegionVerdict(signatures=True, promoted=False, updates={})
    targets = ["linux/amd64", "windows/amd64", "linux/386"]
    not_updated = {"windows/amd64": {"one": "the reason"}}
    table = rehearse.as_table(
        Result("1.1.0", "awstoe 1.1.0", targets, not_updated, {"one": good, "two": bad}, {})
    )
    rows = [re.split("  +", line) for line in table.splitlines()]
    assert rows[2] == [
        *("one", "good, 1.0.0 -> 1.1.0 -> 1.0.0", "good, NOT UPDATED", "good, same files"),
    ]
    assert rows[3] == ["two", *["BAD, same files"] * 3]


def test_without_moto_a_rehearsal_reports_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto.moto_server.werkzeug_app", None)
    with pytest.raises(ReleaseFailure, match="the rehearsal's S3 server is missing") as caught:
        Buckets()
    assert "moto[s3]" in (caught.value.hint or "")
