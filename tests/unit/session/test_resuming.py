"""Which run is resumed, and what happens if its state is not what it should be."""

import json
import os
import shutil
from pathlib import Path

import pytest

from awstoe.engine import events
from awstoe.errors import HostError, UsageError
from awstoe.host import machine
from awstoe.host.reboot import rebooting
from awstoe.session import resuming
from awstoe.session.request import RequestedDocument, RunRequest
from awstoe.state import journal, store
from fakes.executions import TIME, document

STARTED = events.to_entry(events.RunStarted("", "id", TIME, []))
FINISHED = events.to_entry(events.RunFinished("", TIME, "success", ""))
UNKNOWN: list[object] = ["Invented", ""]
REBOOT: list[object] = ["RebootAsked", "of another version", "boot"]
RESUMED = events.to_entry(events.RunResumed("", TIME))
STEPS = (
    "  - name: build\n    steps:\n      - {name: S, action: ExecuteBash, inputs: {commands: [x]}}\n"
)


class Scene:
    """A state root with runs of one document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.document = document(STEPS, str(folder / "doc.yml"))

    def save(self, execution_id: str, *entries: list[object], tail: str = "") -> Path:
        logs = self.folder / f"logs-{execution_id}"
        logs.mkdir()
        (logs / "D0__doc.yml").write_bytes(self.document.data)
        folder = self.folder / "state" / execution_id
        state = store.create(str(folder))
        state.write_manifest(
            store.Manifest(
                execution_id=execution_id,
                documents=(self.document.path,),
                phases=(),
                parameters=((),),
                log_folder=str(logs),
                start_time="then",
                checksums=(store.checksum(self.document.data),),
            )
        )
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        (folder / store.JOURNAL).write_text(lines + tail)
        store_lock_released(state)
        return folder

    def request(self, execution_id: str | None = None) -> RunRequest:
        return RunRequest(
            documents=(RequestedDocument(self.document.path, {}),),
            phases=(),
            execution_id=execution_id,
            log_directory="",
            state_directory=None,
            blocked=frozenset(),
            trace=False,
            resume=True,
            stdout_limit=1000,
            arguments=(),
        )

    def resumed(self, execution_id: str | None = None) -> str:
        folders, records = resuming.resumed_run(self.request(execution_id), [self.document])
        assert "" in records.runs
        return folders.execution_id

    def continued(self) -> str | None:
        """Return the run that a command without ``--resume`` continues."""
        found = resuming.run_after_reboot(self.request()._replace(resume=False), [self.document])
        return found[0].execution_id if found else None


def store_lock_released(state: store.Store) -> None:
    """Release the lock as the end of a process does."""
    os.close(state._lock)  # noqa: SLF001


def rebooted(monkeypatch: pytest.MonkeyPatch, boot: str, *, agent: bool) -> None:
    """Set the current boot, and whether an agent reboots the machine."""
    monkeypatch.setattr(rebooting, "boot_id", lambda: boot)
    monkeypatch.setattr(rebooting, "is_for_agent", lambda: agent)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(machine, "state_root", lambda: str(tmp_path / "state"))
    return Scene(tmp_path)


def test_the_only_unfinished_run_is_resumed(scene: Scene) -> None:
    scene.save("done", STARTED, FINISHED)
    scene.save("open", STARTED)
    assert scene.resumed() == "open"


def test_of_several_runs_one_has_to_be_named(scene: Scene) -> None:
    scene.save("one", STARTED)
    scene.save("two", STARTED)
    with pytest.raises(UsageError, match="2 unfinished runs"):
        scene.resumed()
    assert scene.resumed("two") == "two"


def test_a_damaged_journal_does_not_hide_the_other_runs(scene: Scene) -> None:
    scene.save("broken", STARTED, tail="garbage\n")
    scene.save("open", STARTED)
    assert scene.resumed() == "open"
    with pytest.raises(HostError, match="damaged"):
        scene.resumed("broken")


@pytest.mark.parametrize("named", [True, False])
def test_a_journal_of_another_version_is_reported_as_such(scene: Scene, *, named: bool) -> None:
    scene.save("newer", STARTED, UNKNOWN)
    with pytest.raises(HostError, match="this version of awstoe cannot read"):
        scene.resumed("newer" if named else None)


@pytest.mark.parametrize(
    "entry", [UNKNOWN, ["StepStarted", "", 0, 0, 0, TIME]], ids=["unknown", "without-its-phase"]
)
def test_a_journal_of_another_version_counts_as_an_unfinished_run(
    scene: Scene, entry: list[object]
) -> None:
    scene.save("newer", STARTED, entry)
    scene.save("open", STARTED)
    with pytest.raises(UsageError, match=r"2 unfinished runs.*\n  newer .*\n  open "):
        scene.resumed()
    assert scene.resumed("open") == "open"
    with pytest.raises(HostError, match="this version of awstoe cannot read"):
        scene.resumed("newer")


def test_a_finished_run_of_another_version_is_not_resumed(scene: Scene) -> None:
    scene.save("newer", STARTED, UNKNOWN, ["RunFinished", "", "of another version"])
    with pytest.raises(UsageError, match="no unfinished run"):
        scene.resumed()
    scene.save("open", STARTED)
    assert scene.resumed() == "open"


@pytest.mark.parametrize(
    ("entries", "boot", "agent"),
    [
        ([REBOOT], "boot", True),
        ([REBOOT], "later", False),
        ([UNKNOWN, REBOOT, UNKNOWN], "later", False),
        ([REBOOT, RESUMED, REBOOT], "later", False),
    ],
)
def test_a_run_of_another_version_that_waited_for_the_reboot_does_not_start_again(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[list[object]],
    boot: str,
    *,
    agent: bool,
) -> None:
    rebooted(monkeypatch, boot, agent=agent)
    folder = scene.save("newer", STARTED, *entries)
    with pytest.raises(HostError, match="this version of awstoe cannot read") as raised:
        scene.continued()
    assert str(raised.value.hint).endswith(f"remove {folder} and start a new run")


@pytest.mark.parametrize(
    ("entries", "boot", "agent"),
    [
        ([REBOOT], "boot", False),
        ([["RebootAsked", "", 0, 0, 0, ""], UNKNOWN], "", False),
        ([UNKNOWN], "later", True),
        ([UNKNOWN, REBOOT, RESUMED], "later", True),
        ([UNKNOWN, REBOOT, FINISHED], "later", True),
    ],
)
def test_a_run_of_another_version_that_waits_for_no_past_reboot_is_left_alone(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[list[object]],
    boot: str,
    *,
    agent: bool,
) -> None:
    rebooted(monkeypatch, boot, agent=agent)
    scene.save("newer", STARTED, *entries)
    assert scene.continued() is None


def test_a_damaged_journal_alone_is_nothing_to_resume(scene: Scene) -> None:
    scene.save("broken", STARTED, tail="garbage\n")
    with pytest.raises(UsageError, match="no unfinished run"):
        scene.resumed()


def test_the_journal_is_read_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.save("open", STARTED)
    reads = []
    real = journal.read

    def counted(path: str) -> object:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(journal, "read", counted)
    scene.resumed()
    assert len(reads) == 1


@pytest.mark.parametrize("entry", [FINISHED, RESUMED])
def test_what_another_process_added_before_the_lock_counts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, entry: list[object]
) -> None:
    folder = scene.save("open", STARTED)
    real = store.open_existing

    def after_another_process(path: str) -> store.Store:
        with (folder / store.JOURNAL).open("a") as file:
            file.write(json.dumps(entry) + "\n")
        return real(path)

    monkeypatch.setattr(store, "open_existing", after_another_process)
    if entry is FINISHED:
        with pytest.raises(UsageError, match="no unfinished run"):
            scene.resumed()
    else:
        assert scene.resumed() == "open"


def test_a_run_whose_documents_have_changed_is_not_resumed(scene: Scene) -> None:
    scene.save("open", STARTED)
    scene.document = scene.document._replace(data=b"other")
    with pytest.raises(UsageError, match="have changed"):
        scene.resumed()


def test_a_run_whose_log_folder_was_removed_continues_in_a_new_one(scene: Scene) -> None:
    folder = scene.save("open", STARTED)
    logs = scene.folder / "logs-open"
    shutil.rmtree(logs)
    folders, _ = resuming.resumed_run(scene.request(), [scene.document])
    assert (logs / "D0__doc.yml").read_bytes() == scene.document.data
    assert [str(logs) in warning for warning in folders.warnings] == [True]
    assert json.loads((folder / store.MANIFEST).read_text())["log_folder"] == str(logs)


def test_a_run_does_not_continue_in_a_folder_that_is_now_a_link(scene: Scene) -> None:
    folder = scene.save("open", STARTED)
    logs = scene.folder / "logs-open"
    logs.rename(scene.folder / "moved")
    (scene.folder / "elsewhere").write_text("a file")
    logs.symlink_to("elsewhere")
    folders, _ = resuming.resumed_run(scene.request(), [scene.document])
    assert folders.logs.path == f"{logs}-2"
    assert json.loads((folder / store.MANIFEST).read_text())["log_folder"] == f"{logs}-2"
    assert (scene.folder / "elsewhere").read_text() == "a file"
