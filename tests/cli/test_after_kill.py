"""A run that was killed in a step, or between two writes, and then resumed."""

import json
import os
import signal
from pathlib import Path

import pytest

from awstoe.state import store
from cli.running import Ended, Started, Toe, action, bash, wait_until
from conformance.processes import children
from subject import chosen

WAIT = "echo $$ >> pids; touch begun; [ -e go ] || sleep 600"


def kill(toe: Toe, started: Started) -> Path:
    """Kill the run in the step that waits. Return its log folder."""
    wait_until((toe.folder / "begun").exists)
    # For a built file, kill the program itself; its bootloader exits after it.
    pid = children(started.child.pid)[0] if chosen().frozen else started.child.pid
    os.kill(pid, signal.SIGKILL)
    started.child.wait()
    (folder,) = toe.log_folders()
    return folder


def resume(toe: Toe) -> Ended:
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 0, ended.stderr
    return ended


def test_the_temporary_folder_of_a_killed_step_is_removed(toe: Toe) -> None:
    (toe.folder / "tmp").mkdir()
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    toe.document(bash("Slow", WAIT))
    kill(toe, toe.start("-d", "doc.yml"))
    assert len(list((toe.folder / "tmp").glob("AWSTOE*"))) == 1
    resume(toe)
    assert not list((toe.folder / "tmp").glob("AWSTOE*"))


def test_the_log_of_a_killed_run_continues_on_a_new_line(toe: Toe) -> None:
    toe.document(bash("Slow", f"printf half; {WAIT}"))
    started = toe.start("-d", "doc.yml")
    logs = toe.folder.rglob
    wait_until(lambda: any(b"Stdout: half" in log.read_bytes() for log in logs("console.log")))
    kill(toe, started)
    messages = resume(toe).messages
    assert messages.count("Stdout: half") == 2
    assert "Executor: the run is resumed after an interruption" in messages


def test_a_nested_loop_resumes_in_the_same_iteration_and_step(toe: Toe) -> None:
    script = f"echo '{{{{ word }}}}' >> second; [ '{{{{ word }}}}' != b ] || {{ {WAIT}; }}"
    toe.document(
        bash("First", "echo '{{ word }}' >> first"),
        bash("Second", script),
        name="child.yml",
        parameters=[{"word": {"type": "string"}}],
    )
    inputs = {"document": "child.yml", "parameters": [{"name": "word", "value": "{{loop.value}}"}]}
    toe.document(
        action("Outer", "ExecuteDocument", inputs, loop={"forEach": ["a", "b", "c"]}),
    )
    kill(toe, toe.start("-d", "doc.yml"))
    ended = resume(toe)
    assert toe.read("first").split() == ["a", "b", "c"]
    assert toe.read("second").split() == ["a", "b", "b", "c"]
    nested = ended.steps["Outer"]["detailedOutput"]
    assert [run["status"] for run in nested] == ["success"] * 3
    assert {run["endTime"] != "" for run in nested} == {True}


def test_an_abort_decided_before_the_kill_keeps_its_reason(toe: Toe) -> None:
    condition = {"stringEquals": "a", "value": "a", "then": "Abort"}
    toe.document(bash("Waits", WAIT), bash("Never", "true", **{"if": condition}))
    kill(toe, toe.start("-d", "doc.yml"))
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml", "--resume")
    journal = toe.state / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    last = next(i for i, line in enumerate(lines) if line.startswith('["BranchTaken"'))
    journal.write_text("".join(lines[: last + 1]))
    again = toe.run("-d", "doc.yml", "--resume")
    assert again.exit_code == 1
    assert "leads to Abort: stringEquals" in ended.summary["failureMessage"]
    assert again.summary["failures"] == ended.summary["failures"]


def test_the_record_files_are_complete_before_the_journal_has_the_end(toe: Toe) -> None:
    ended = toe.steps(bash("S", "true"))
    journal = toe.state / "journal.jsonl"
    assert json.loads(journal.read_text().splitlines()[-1])[0] == "RunFinished"
    written = (ended.logs / "detailedoutput.json").stat().st_mtime_ns
    assert written <= journal.stat().st_mtime_ns


@pytest.mark.parametrize("call", ["unlink", "replace"])
def test_removing_the_state_never_leaves_a_manifest_without_its_journal(
    toe: Toe, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """With only the manifest left, the whole run would be repeated."""
    toe.steps(bash("S", "true"))
    real = getattr(os, call)

    def killed_at_the_second(path: str, *more: str, **folders: int) -> None:
        if not (toe.state / store.MANIFEST).exists():
            raise KeyboardInterrupt
        real(path, *more, **folders)

    state = store.create(str(toe.state))
    monkeypatch.setattr(os, call, killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        state.remove() if call == "unlink" else state.archive_previous()
    assert not (toe.state / store.MANIFEST).exists()
    assert (toe.state / store.JOURNAL).exists()


def test_a_journal_without_its_manifest_is_not_used_by_the_next_run(toe: Toe) -> None:
    toe.steps(bash("S", "true"))
    os.unlink(toe.state / store.MANIFEST)
    ended = toe.run("-d", "doc.yml")
    starts = (toe.state / store.JOURNAL).read_text().count('["RunStarted"')
    assert (ended.exit_code, starts) == (0, 1)


def test_a_loop_resumes_with_the_list_it_read_before_the_kill(toe: Toe) -> None:
    script = (
        f"echo '{{{{ loop.value }}}}' >> seen; [ '{{{{ loop.value }}}}' != b ] || {{ {WAIT}; }}"
    )
    toe.environment["LIST"] = "a,b,c"
    toe.document(bash("Loop", script, loop={"forEach": {"list": "{{ env:LIST }}"}}))
    kill(toe, toe.start("-d", "doc.yml"))
    toe.environment["LIST"] = "x,y,z"
    resume(toe)
    assert toe.read("seen").split() == ["a", "b", "b", "c"]


def test_the_name_of_the_machine_is_read_once_per_run(toe: Toe) -> None:
    """It may change with a reboot: it may come from DHCP."""
    toe.document(
        bash("First", "echo '{{ context:hostname }}' > first"),
        bash("Slow", WAIT),
        bash("Second", "echo '{{ context:hostname }}' > second"),
    )
    kill(toe, toe.start("-d", "doc.yml"))
    journal = toe.state / "journal.jsonl"
    name = toe.read("first").strip()
    read = json.dumps(["ContextRead", "", "hostname", name], separators=(",", ":"))
    assert read in journal.read_text()
    journal.write_text(journal.read_text().replace(read, read.replace(name, "before-the-reboot")))
    resume(toe)
    assert toe.read("second").strip() == "before-the-reboot"


def test_a_state_in_another_format_is_reported_with_a_hint(toe: Toe) -> None:
    toe.document(bash("Slow", WAIT))
    kill(toe, toe.start("-d", "doc.yml"))
    manifest = toe.state / store.MANIFEST
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**data, "version": data["version"] + 1}))
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 1
    assert f"got format {data['version'] + 1}" in ended.stderr
    assert "with the version of awstoe that started it" in ended.stderr
    assert str(manifest) in ended.summary["failureMessage"]
