"""Steps that remove, move, replace or lock the folders of the run, as image builds do."""

import json
import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from cli.running import Ended, Json, Toe, action, bash, wait_until

# What a step does to the folder $F. Other files in the same place stay.
WAYS = {
    "emptied": "rm -rf $F/* $F/.[!.]*",
    "removed": "rm -rf $F",
    "removed with the folder above": "rm -rf ${F%/*}",
    "moved": "mv $F moved",
    "moved with the folder above": "mv ${F%/*} moved; mkdir -p ${F%/*}",
    "made anew": "rm -rf $F; mkdir $F",
    "replaced by a link": "mv $F moved; ln -s $PWD/moved $F",
}
FOREIGN = {
    "replaced by a file": "rm -rf $F; echo mine > $F",
    "replaced by a dangling link": "rm -rf $F; ln -s nowhere $F",
    "replaced by a folder with files": "rm -rf $F; mkdir $F; echo mine > $F/kept",
}
LOGS = "F=$(echo $PWD/lg/TOE_*); "
STATE = "F=$PWD/st/run; "
STEPS = ("First", "Middle", "Last")


def run(toe: Toe, *steps: Json, **keys: Json) -> Ended:
    document = toe.document(*steps, **keys)
    return toe.run("-d", document, "-l", "lg", "-s", "st/run", state=False)


def with_one(script: str, moment: str) -> list[Json]:
    """Return three steps, of which the one at ``moment`` runs ``script``."""
    return [bash(name, script if name == moment else f"echo from {name}") for name in STEPS]


def warnings(ended: Ended) -> list[str]:
    return [line for line in ended.messages if line.startswith("Warning: ")]


def assert_complete(ended: Ended, *steps: str) -> None:
    """Check that everything is in the folder that the summary names."""
    assert ended.exit_code == 0, ended.stderr
    started = [line.removeprefix("Step ") for line in ended.messages if line.startswith("Step ")]
    assert started == list(steps)
    assert ended.messages[0] == "Setup: STARTED SETUP"
    assert ended.messages[-1] == "TOE has completed execution successfully"
    assert "Executor has returned control" in ended.application
    assert set(ended.statuses.values()) == {"success"}
    assert ended.records["status"] == "success"
    chained = [each["name"] for phase in ended.chaining[0]["phases"] for each in phase["steps"]]
    assert chained == list(ended.statuses)
    assert sorted(path.name for path in ended.logs.iterdir()) == [
        "D0__doc.yml",
        "application.log",
        "chaining.json",
        "console.log",
        "detailedoutput.json",
    ]
    assert ended.logs.stat().st_mode & 0o777 == 0o700


def assert_resumable_state(folder: Path) -> None:
    assert {"journal.jsonl", "run.json"} <= {path.name for path in folder.iterdir()}
    entries = [json.loads(line)[0] for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert entries[0] == "RunStarted"
    assert entries[-1] == "RunFinished"
    assert entries.count("StepFinished") == len(STEPS)


@pytest.mark.parametrize("moment", STEPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_run_survives_the_loss_of_its_log_folder(toe: Toe, way: str, moment: str) -> None:
    ended = run(toe, *with_one(LOGS + WAYS[way], moment))
    assert_complete(ended, *STEPS)
    if way == "replaced by a link":
        assert warnings(ended) == []  # its path still leads to it
    else:
        (warning,) = warnings(ended)
        assert warning.startswith(f"Warning: step '{moment}' in phase 'build' removed ")
        assert ended.stderr.count("warning: ") == 1


@pytest.mark.parametrize("moment", STEPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_run_survives_the_loss_of_its_state_folder(toe: Toe, way: str, moment: str) -> None:
    ended = run(toe, *with_one(STATE + WAYS[way], moment))
    assert_complete(ended, *STEPS)
    assert_resumable_state(toe.folder / "st" / "run")
    if way != "replaced by a link":
        (warning,) = warnings(ended)
        assert f"'{moment}'" in warning
        assert "state folder" in warning


@pytest.mark.parametrize("way", FOREIGN)
def test_what_a_step_puts_in_the_place_of_the_log_folder_stays(toe: Toe, way: str) -> None:
    ended = run(toe, *with_one(LOGS + FOREIGN[way], "Middle"))
    assert_complete(ended, *STEPS)
    (theirs,) = (path for path in (toe.folder / "lg").iterdir() if path != ended.logs)
    assert ended.logs.name == f"{theirs.name}-2"
    assert str(ended.logs) in warnings(ended)[0]
    if "file" in way:
        mine = theirs / "kept" if theirs.is_dir() else theirs
        assert mine.read_text() == "mine\n"


@pytest.mark.parametrize("way", FOREIGN)
def test_without_a_state_folder_the_run_goes_on_and_gives_no_hint_to_resume(
    toe: Toe, way: str
) -> None:
    ended = run(toe, *with_one(STATE + FOREIGN[way], "First"))
    assert_complete(ended, *STEPS)
    (warning,) = warnings(ended)
    assert "so the run cannot be resumed" in warning


@pytest.mark.parametrize("way", FOREIGN)
def test_an_interrupted_run_without_a_state_folder_gives_no_hint_to_resume(
    toe: Toe, way: str
) -> None:
    slow = bash("Slow", "echo x > begun; sleep 600")
    document = toe.document(bash("First", STATE + FOREIGN[way]), slow)
    started = toe.begin(toe.argv("-d", document, "-l", "lg", "-s", "st/run", state=False))
    wait_until((toe.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    assert "--resume" not in ended.stderr


def test_a_step_that_removes_everything_is_named_once(toe: Toe) -> None:
    ended = run(toe, *with_one("rm -rf lg st", "Middle"))
    assert_complete(ended, *STEPS)
    (warning,) = warnings(ended)
    assert "log folder" in warning
    assert "state folder" in warning


def test_every_step_that_removes_the_logs_is_named(toe: Toe) -> None:
    ended = run(toe, *(bash(name, "rm -rf lg") for name in STEPS))
    assert_complete(ended, *STEPS)
    named = [re.findall(r"step '(\w+)'", warning) for warning in warnings(ended)]
    assert named == [["First"], ["Middle"], ["Last"]]


@pytest.mark.parametrize("name", ["console.log", "application.log", "*.json", "D0__*"])
def test_a_single_file_that_a_step_removes_is_there_at_the_end(toe: Toe, name: str) -> None:
    ended = run(toe, *with_one(f"rm -f lg/*/{name}", "Middle"))
    assert_complete(ended, *STEPS)


def test_logs_that_a_step_rotates_start_as_complete_copies(toe: Toe) -> None:
    ended = run(toe, *with_one("cd lg/TOE_*; mv console.log console.log.1", "Middle"))
    assert ended.exit_code == 0
    assert ended.messages[0] == "Setup: STARTED SETUP"
    (ended.logs / "console.log.1").unlink()
    assert_complete(ended, *STEPS)


def test_steps_of_nested_documents_and_loops_are_named(toe: Toe) -> None:
    toe.document(bash("Inside", "rm -rf lg"), bash("After", "true"), name="inner.yml")
    ended = run(
        toe,
        action("Nested", "ExecuteDocument", [{"document": "inner.yml"}]),
        bash("Loop", "rm -rf lg; echo {{ loop.value }}", loop={"forEach": ["a", "b"]}),
    )
    assert_complete(ended, "Nested", "Inside", "After", "Loop")
    first, second = warnings(ended)
    assert "step 'Inside' in phase 'build' of inner.yml removed" in first
    assert "step 'Loop' in phase 'build' removed" in second
    assert ended.printed("Loop") == "a\nb"


def test_a_step_that_fails_after_removing_the_logs_has_its_failure_in_them(toe: Toe) -> None:
    ended = run(toe, bash("Fails", "rm -rf lg; echo oh >&2; exit 3", onFailure="Continue"))
    assert ended.exit_code == 1
    assert ended.summary["failures"][0]["exitCode"] == 3
    assert "CmdExecution: ExitCode 3" in ended.messages
    assert ended.statuses == {"Fails": "failed"}


def test_a_nested_document_without_logging_may_remove_the_logs(toe: Toe) -> None:
    toe.document(bash("Inside", "rm -rf lg st"), name="inner.yml")
    ended = run(
        toe,
        action("Nested", "ExecuteDocument", [{"document": "inner.yml"}], disableLogging=True),
        bash("After", "true"),
    )
    assert_complete(ended, "Nested", "After")
    assert len(warnings(ended)) == 1


def test_an_interrupted_run_that_removed_everything_can_be_resumed(toe: Toe) -> None:
    script = "[ -e go ] && exit; rm -rf lg st; echo x > begun; sleep 600"
    document = toe.document(bash("First", "echo x >> first"), bash("Slow", script))
    started = toe.begin(toe.argv("-d", document, "-l", "lg", "-s", "st/run", state=False))
    wait_until((toe.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    assert "--resume --execution-id" in ended.stderr
    assert ended.messages[0] == "Setup: STARTED SETUP"
    toe.write("go", "")
    again = toe.run("-d", document, "-l", "lg", "-s", "st/run", "--resume", state=False)
    assert again.exit_code == 0, again.stderr
    assert toe.read("first") == "x\n"
    assert again.logs == ended.logs


@pytest.mark.parametrize("after", ["", "rm -rf lg"])
def test_a_run_resumes_after_a_reboot_before_which_everything_was_removed(
    toe: Toe, after: str
) -> None:
    script = "[ -e once ] && exit; touch once; rm -rf lg st; exit 194"
    document = toe.document(bash("First", "echo x >> first"), bash("Reboots", script))
    arguments = ("-d", document, "-l", "lg", "-s", "st/run")
    ended = toe.run(*arguments, state=False)
    assert ended.exit_code == 194, ended.stderr
    toe.call(["bash", "-c", after])
    again = toe.run(*arguments, state=False)
    assert again.exit_code == 0, again.stderr
    assert toe.read("first") == "x\n"
    assert again.statuses == {"First": "success", "Reboots": "success"}
    assert again.messages.count("Setup: STARTED SETUP") == (0 if after else 1)
    assert ("cannot be used (it was removed" in again.stderr) == bool(after)


def test_without_a_state_folder_the_machine_is_not_rebooted(toe: Toe) -> None:
    script = f"{STATE}rm -rf $F; echo mine > $F; exit 194"
    ended = run(toe, bash("Reboots", script))
    assert ended.exit_code == 1
    assert "the machine is not rebooted" in ended.summary["failureMessage"]
    assert "step 'Reboots' in phase 'build'" in ended.summary["failureMessage"]
    assert "--resume" not in ended.stderr


def test_a_default_state_that_a_step_removed_is_not_left_in_the_image(toe: Toe) -> None:
    if os.geteuid() == 0:
        toe.become_nobody()
    ended = toe.run("-d", toe.document(bash("S", "rm -rf $XDG_STATE_HOME")), state=False)
    assert ended.exit_code == 0, ended.stderr
    assert [path for path in (toe.folder / "xdg").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("mode", ["555", "000"])
@pytest.mark.parametrize(("place", "what"), [(LOGS, "log folder"), (STATE, "state folder")])
def test_a_user_s_folder_that_a_step_makes_read_only_is_made_writable(
    toe: Toe, place: str, what: str, mode: str
) -> None:
    if os.geteuid() == 0:
        toe.become_nobody()
    ended = run(toe, *with_one(f"{place}chmod {mode} $F", "Middle"))
    assert ended.exit_code == 0, ended.stderr
    (warning,) = warnings(ended)
    assert "step 'Middle'" in warning
    assert what in warning


def test_a_temporary_folder_that_a_step_removes_is_made_again(toe: Toe) -> None:
    (toe.folder / "tmp").mkdir(mode=0o751)
    (toe.folder / "tmp").chmod(0o751)
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    ended = run(toe, *with_one("rm -rf $TMPDIR", "Middle"))
    assert_complete(ended, *STEPS)
    (warning,) = warnings(ended)
    assert f"step 'Middle' in phase 'build' removed the temporary folder {toe.folder}" in warning
    assert (toe.folder / "tmp").stat().st_mode & 0o777 == 0o751
    assert list((toe.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("script", ["rm -rf $TMPDIR/*", "rm -rf $TMPDIR/AWSTOE*; mkdir ${0%/*}"])
def test_a_step_may_remove_the_folder_of_its_own_script(toe: Toe, script: str) -> None:
    (toe.folder / "tmp").mkdir()
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    ended = run(toe, *with_one(script, "First"))
    assert_complete(ended, *STEPS)
    assert warnings(ended) == []
    assert list((toe.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("script", ["rm -rf $PWD", "mv $PWD $PWD.moved", "rm -rf $PWD; mkdir $PWD"])
def test_a_step_may_remove_the_working_directory(toe: Toe, script: str) -> None:
    """The logs are in it by default."""
    (toe.folder / "work").mkdir()
    document = toe.document(*with_one(script, "Middle"))
    command = f"cd work; exec {shlex.join(toe.program)} run -d ../{document} -s ../st/run"
    ended = toe.call(["bash", "-c", command])
    assert_complete(ended, *STEPS)
    assert ended.logs.parent == toe.folder / "work"


def test_logs_that_a_step_truncates_are_reported_and_continued(toe: Toe) -> None:
    ended = run(toe, *with_one("find lg -type f -exec truncate -s 0 {} +", "Middle"))
    assert ended.exit_code == 0, ended.stderr
    (warning,) = warnings(ended)
    assert "step 'Middle' in phase 'build' truncated console.log and application.log" in warning
    assert ended.messages[-1] == "TOE has completed execution successfully"
    assert (ended.logs / "D0__doc.yml").read_text() == toe.read("doc.yml")
    assert set(ended.statuses.values()) == {"success"}


def test_a_truncated_manifest_is_written_again(toe: Toe) -> None:
    ended = run(toe, *with_one("truncate -s 0 st/run/run.json", "Middle"))
    assert_complete(ended, *STEPS)
    assert_resumable_state(toe.folder / "st" / "run")
    (warning,) = warnings(ended)
    assert "step 'Middle' in phase 'build' changed files in the state folder" in warning
    assert json.loads(toe.read("st/run/run.json"))["version"]


@pytest.mark.parametrize("script", ["truncate -s 0 $J", "echo mine > $J", "echo mine >> $J"])
def test_with_a_changed_journal_the_run_goes_on_but_the_machine_is_not_rebooted(
    toe: Toe, script: str
) -> None:
    changes = bash("Changes", f"J=st/run/journal.jsonl; {script}")
    ended = run(toe, changes, bash("After", "true"), bash("Reboots", "exit 194"))
    assert ended.exit_code == 1
    assert ended.messages.count("Step After") == 1
    (warning,) = warnings(ended)
    assert "step 'Changes' in phase 'build' changed the state of the run" in warning
    assert "the machine is not rebooted" in ended.summary["failureMessage"]
    assert "--resume" not in ended.stderr


@pytest.mark.parametrize("target", ["moved", "moved; mkdir -p ${F%/*}; echo mine > $F"])
def test_a_state_folder_that_a_step_moved_is_not_left_in_the_image(toe: Toe, target: str) -> None:
    if os.geteuid() == 0:
        toe.become_nobody()
    script = f"F=$(echo $XDG_STATE_HOME/awstoe/state/*); mv $F {target}"
    ended = toe.run("-d", toe.document(*with_one(script, "Middle")), "-l", "lg", state=False)
    assert ended.exit_code == 0, ended.stderr
    assert not (toe.folder / "moved").exists()
    left = [path.read_text() for path in (toe.folder / "xdg").rglob("*") if path.is_file()]
    assert left in ([], ["mine\n"])


def test_the_attempts_and_iterations_of_a_step_may_remove_the_temporary_folder(toe: Toe) -> None:
    (toe.folder / "tmp").mkdir()
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    removes = "rm -rf $TMPDIR"
    ended = run(
        toe,
        bash("Again", f"{removes}; [ -e once ] || {{ touch once; exit 1; }}", maxAttempts=2),
        bash("Loop", f"echo {{{{ loop.value }}}}; {removes}", loop={"forEach": ["a", "b"]}),
    )
    assert_complete(ended, "Again", "Loop")
    assert ended.printed("Loop") == "a\nb"
    assert [re.findall(r"step '(\w+)'", each) for each in warnings(ended)] == [["Again"], ["Loop"]]


def test_steps_of_a_nested_document_without_logging_may_remove_the_temporary_folder(
    toe: Toe,
) -> None:
    (toe.folder / "tmp").mkdir()
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    toe.document(bash("Removes", "rm -rf $TMPDIR"), bash("After", "true"), name="inner.yml")
    ended = run(
        toe,
        action("Nested", "ExecuteDocument", [{"document": "inner.yml"}], disableLogging=True),
    )
    assert_complete(ended, "Nested")
    (warning,) = warnings(ended)
    assert "step 'Nested' in phase 'build' removed the temporary folder" in warning


def test_a_run_whose_log_directory_became_a_file_resumes_with_another_one(toe: Toe) -> None:
    """As the hint says."""
    script = "[ -e once ] && exit; touch once; exit 194"
    document = toe.document(bash("First", "echo x >> first"), bash("Reboots", script))
    assert toe.run("-d", document, "-l", "lg", "-s", "st", state=False).exit_code == 194
    toe.call(["bash", "-c", "rm -rf lg; touch lg"])
    ended = toe.run("-d", document, "-l", "lg", "-s", "st", state=False)
    assert ended.exit_code == 1
    assert "--log-directory sets another one" in ended.stderr
    again = toe.run("-d", document, "-l", "other", "-s", "st", state=False)
    assert again.exit_code == 0, again.stderr
    assert again.logs.parent == toe.folder / "other"
    assert toe.read("first") == "x\n"
