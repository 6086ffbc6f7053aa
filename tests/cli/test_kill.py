"""kill -9 at random moments: files stay readable, the state correct, the run resumable."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awstoe.engine.events import StepFinished, from_entry
from awstoe.state import journal
from cli.running import PATIENCE_SECONDS
from subject import needs_source

BATCHES = 20
KILLS_PER_BATCH = 11  # 220 moments in all

DOCUMENT = """\
name: a bit of everything, as quick as it goes
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: first
        action: ExecuteBash
        inputs: {commands: [echo value, echo build.first >> done]}
      - name: folder
        action: CreateFolder
        inputs: [{path: made/by/step}]
      - name: chained
        action: ExecuteBash
        inputs:
          commands:
            - echo '{{ build.first.outputs.stdout }}' >> chained
            - echo build.chained >> done
      - name: looped
        action: ExecuteBash
        loop: {forEach: [a, b, c]}
        inputs:
          commands: ["echo {{ loop.value }} >> looped", "echo {{ loop.value }}"]
      - name: ignored
        action: ExecuteBash
        onFailure: Ignore
        maxAttempts: 2
        inputs: {commands: [echo build.ignored >> done, exit 3]}
  - name: validate
    steps:
      - name: compared
        action: Assert
        inputs: {stringEquals: "a\\nb\\nc", value: '{{ build.looped.outputs.stdout }}'}
      - name: nested
        action: ExecuteDocument
        inputs: {document: child.yml}
      - name: last
        action: ExecuteBash
        inputs: {commands: [echo validate.last >> done]}
"""

CHILD = """\
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: one
        action: ExecuteBash
        inputs: {commands: [echo child.one >> done]}
      - name: two
        action: ExecuteBash
        inputs: {commands: [echo child.two >> done]}
"""


def command(*more: str) -> list[str]:
    run = [sys.executable, "-m", "awstoe", "run", "-d", "doc.yml", "-s", "state", "--quiet"]
    return [*run, *more]


def finished_steps(state: Path) -> set[str]:
    """Return the names of the steps that have finished according to the journal."""
    names = {
        "": {0: {0: "first", 1: "folder", 2: "chained", 3: "looped", 4: "ignored"}},
        "/0.1.1": {0: {0: "one", 1: "two"}},
    }
    names[""][1] = {0: "compared", 1: "nested", 2: "last"}
    names_finished = set()
    if (state / "journal.jsonl").exists():
        for entry in journal.read(str(state / "journal.jsonl")):
            event = from_entry(entry)
            if isinstance(event, StepFinished):
                assert event.status in ("success", "ignoredFailure"), event
                names_finished.add(names[event.run][event.phase][event.step])
    return names_finished


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def kill_after(seconds: float, folder: Path) -> None:
    """Start the run and kill it with its program, as a crash of the machine would."""
    with subprocess.Popen(
        command(),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)


def check(folder: Path) -> None:
    """Check the guarantees for a run that was killed, and for resuming it."""
    for path in folder.glob("TOE_*/*.json"):
        json.loads(path.read_text())
    manifest = folder / "state" / "run.json"
    if not manifest.exists():
        assert not lines(folder / "done"), "a step ran before there was a state to resume"
        return
    json.loads(manifest.read_text())
    finished = finished_steps(folder / "state")
    done = {line.partition(".")[2] for line in lines(folder / "done")}
    recorded = finished & {"first", "chained", "ignored", "one", "two", "last"}
    assert recorded <= done, "the state lists a step as finished that has not finished"
    assert len(done - finished) <= 1, "more than the step at work is missing in the state"

    before = lines(folder / "done")
    going_on = subprocess.run(
        command("--resume"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    over = "no unfinished run" in going_on.stderr
    assert going_on.returncode == (2 if over else 0), going_on.stderr
    if not over:
        result = json.loads(going_on.stdout)
        assert (result["status"], result["executedStepCount"]) == ("success", 8)
        assert result["ignoredFailedStepCount"] == 1
    after = lines(folder / "done")
    for line in before:
        name = line.partition(".")[2]
        if name in finished:
            assert after.count(line) == before.count(line), f"{line} had finished and ran again"
    assert {line.partition(".")[2] for line in after} == {
        *("first", "chained", "ignored", "one", "two", "last")
    }
    assert lines(folder / "chained")[0] == "value"
    assert finished_steps(folder / "state") == {
        *("first", "folder", "chained", "looped", "ignored", "compared", "nested", "last"),
        *("one", "two"),
    }
    assert len(list(folder.glob("TOE_*"))) == 1
    for path in folder.glob("TOE_*/*.json"):
        assert json.loads(path.read_text())


@needs_source("it kills one process, a built file has two; conformance has a test for them")
@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_kill_at_any_moment_leaves_a_correct_state_and_a_run_that_resumes(
    batch: int, tmp_path: Path
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed} of batch {batch}")  # noqa: T201 - shown when the test fails
    dice = random.Random(seed)
    (tmp_path / "doc.yml").write_text(DOCUMENT)
    started = time.monotonic()
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "doc.yml").write_text(DOCUMENT)
    (whole / "child.yml").write_text(CHILD)
    subprocess.run(command(), cwd=whole, check=True, stdout=subprocess.DEVNULL)
    duration = time.monotonic() - started
    for number in range(KILLS_PER_BATCH):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "doc.yml").write_text(DOCUMENT)
        (folder / "child.yml").write_text(CHILD)
        kill_after(dice.uniform(0.2, 1.0) * duration, folder)
        check(folder)
