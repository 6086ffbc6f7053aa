"""The state folder: its owner, its removal, and which run ``--resume`` selects."""

import os
import signal

import pytest

from cli.running import Ended, Toe, bash, wait_until

WAIT = bash("Slow", "echo x >> begun; echo $$ >> pids; [ -e go ] || sleep 600")


def interrupted(toe: Toe, *arguments: str, state: bool = True) -> Ended:
    """Run doc.yml and stop the run in its step."""
    if not (toe.folder / "doc.yml").exists():
        toe.document(WAIT)
    count = toe.read("begun").count("x") if (toe.folder / "begun").exists() else 0
    started = toe.start("-d", "doc.yml", *arguments, state=state)
    wait_until(lambda: (toe.folder / "begun").exists() and toe.read("begun").count("x") > count)
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    return ended


@pytest.fixture
def default(toe: Toe) -> Toe:
    """A program whose default state folder is in the folder of the test."""
    if os.geteuid() == 0:
        toe.become_nobody()
    return toe


def test_the_state_of_a_finished_run_is_removed_unless_a_folder_was_given(default: Toe) -> None:
    default.document(bash("S", "ls -R $XDG_STATE_HOME; exit 3"))
    ended = default.run("-d", "doc.yml", state=False)
    assert ended.exit_code == 1
    assert "journal.jsonl" in ended.printed("S")
    assert ended.summary["executionId"] in ended.printed("S")
    assert default.nothing_left() or default.log_folders()
    assert not [*default.folder.rglob("journal.jsonl")]


def test_the_state_is_kept_if_a_folder_was_given(toe: Toe) -> None:
    toe.steps(bash("S", "true"))
    assert {path.name for path in toe.state.iterdir()} >= {"run.json", "journal.jsonl"}
    assert toe.state.stat().st_mode & 0o777 == 0o700
    assert (toe.state / "journal.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_only_unfinished_run_is_found_without_its_id(default: Toe) -> None:
    broken = interrupted(default, state=False)
    default.write("go", "")
    ended = default.run("-d", "doc.yml", "--resume", state=False)
    assert ended.exit_code == 0, ended.stderr
    assert ended.summary["executionId"] == broken.summary["executionId"]
    assert not [*default.folder.rglob("journal.jsonl")]


def test_several_unfinished_runs_are_listed(default: Toe) -> None:
    interrupted(default, "-i", "one", state=False)
    interrupted(default, "-i", "two", state=False)
    default.write("go", "")
    ended = default.run("-d", "doc.yml", "--resume", state=False)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "  one  started " in ended.stderr
    assert "  two  started " in ended.stderr
    assert "--execution-id" in ended.stderr
    ended = default.run("-d", "doc.yml", "--resume", "-i", "two", state=False)
    assert ended.exit_code == 0
    assert ended.summary["executionId"] == "two"


def test_the_state_of_an_earlier_run_is_archived_and_not_resumed(toe: Toe) -> None:
    broken = interrupted(toe)
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml")
    assert ended.exit_code == 0
    assert ended.summary["executionId"] != broken.summary["executionId"]
    (aside,) = toe.state.glob("previous-*")
    assert str(aside) in ended.stderr
    assert (aside / "journal.jsonl").exists()


def test_a_run_that_cannot_start_leaves_the_earlier_state_in_place(toe: Toe) -> None:
    broken = interrupted(toe)
    toe.write("file", "")
    refused = toe.run("-d", "doc.yml", "-l", "file/logs")
    assert refused.exit_code == 1
    toe.write("go", "")
    ended = toe.run("-d", "doc.yml", "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert ended.summary["executionId"] == broken.summary["executionId"]


def test_a_state_folder_that_another_run_uses_is_an_error(toe: Toe) -> None:
    toe.document(WAIT)
    started = toe.start("-d", "doc.yml")
    wait_until((toe.folder / "begun").exists)
    for more in ([], ["--resume"]):
        ended = toe.run("-d", "doc.yml", *more)
        assert ended.exit_code == 1
        assert "another awstoe is using the state folder" in ended.stderr
        assert "another awstoe is using" in ended.summary["failureMessage"]
    assert len(toe.log_folders()) == 1
    started.signal(signal.SIGTERM)
    assert started.end().exit_code == 143


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("document", "the documents have changed"),
        ("parameters", "other parameters or phases"),
        ("phases", "other parameters or phases"),
        ("journal", "damaged"),
    ],
)
def test_a_run_that_no_longer_fits_is_not_resumed(toe: Toe, change: str, message: str) -> None:
    parameters = [{"Word": {"type": "string", "default": "x"}}]
    toe.document(WAIT, parameters=parameters)
    interrupted(toe)
    more: list[str] = []
    match change:
        case "document":
            toe.document(WAIT, parameters=parameters, description="changed")
        case "parameters":
            more = ["--parameters", "Word=y"]
        case "phases":
            more = ["--phases", "build"]
        case _:
            journal = toe.state / "journal.jsonl"
            journal.write_text(journal.read_text().replace('["Document', "garbage", 1))
    ended = toe.run("-d", "doc.yml", "--resume", *more)
    assert ended.exit_code in (1, 2)
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_to_resume_is_an_error(toe: Toe) -> None:
    ended = toe.run("-d", toe.document(bash("S", "touch ran")), "--resume")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "no unfinished run of these documents" in ended.stderr
    assert not (toe.folder / "ran").exists()
    assert toe.nothing_left()


@pytest.mark.parametrize("torn", ['["StepSt', "\n", ""])
def test_a_torn_last_line_of_the_journal_is_ignored(toe: Toe, torn: str) -> None:
    interrupted(toe)
    journal = toe.state / "journal.jsonl"
    if torn == "\n":
        journal.write_bytes(journal.read_bytes()[:-1])
    else:
        journal.write_text(journal.read_text() + torn)
    toe.write("go", "")
    assert toe.run("-d", "doc.yml", "--resume").exit_code == 0
