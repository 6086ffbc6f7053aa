"""The logs say only what has happened."""

import re
import signal

from cli.running import Toe, action, bash, wait_until

PASS = {"stringEquals": "a", "value": "a"}


def test_nothing_is_said_to_be_uploaded_downloaded_or_created_elsewhere(toe: Toe) -> None:
    text = toe.steps(bash("S", "true")).application
    for words in ("S3 account", "UploadDirectoryToS3", "DOWNLOADING", "cycles", "Created chaining"):
        assert words not in text
    updated = re.findall(r"Updated (?:detailed output|chaining) file.*", text)
    assert len(updated) == 2  # at the end, where both are always written


def test_a_skipped_step_has_no_action(toe: Toe) -> None:
    skip = {"stringEquals": "a", "value": "b", "then": "Execute", "else": "Skip"}
    ended = toe.steps(bash("Runs", "true"), bash("Skipped", "true", **{"if": skip}))
    assert ended.statuses == {"Runs": "success", "Skipped": "skipped"}
    assert ended.application.count("STARTED ACTION MODULE") == 1
    assert ended.application.count("FINISHED ACTION MODULE") == 1


def test_hidden_inputs_are_not_said_to_stay_as_they_were(toe: Toe) -> None:
    text = toe.steps(bash("S", "echo {{ context:osPlatform }}", disableLogging=True)).application
    assert "after unchaining inputs (not logged) of step S" in text
    assert "Updated inputs of currentStep S to (not logged)" in text


def test_an_interrupted_run_is_not_said_to_have_finished_its_documents(toe: Toe) -> None:
    script = "[ -e go ] && exit; echo x > begun; sleep 600"
    document = toe.document(action("First", "Assert", PASS), bash("Slow", script))
    started = toe.start("-d", document)
    wait_until((toe.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    before = started.end().application
    assert "FINISHED EXECUTION OF ALL DOCUMENTS" not in before
    assert "Completed execution loop" not in before
    toe.write("go", "")
    after = toe.run("-d", document, "--resume").application.removeprefix(before)
    assert "Document = 0, PhaseIndex = 0, StepIndex = 1, isFinal" in after
    assert "with phaseIndex 0 and stepIndex 1" in after
    assert "phaseName - build, FromStepIndex - 1" in after
    assert "FINISHED EXECUTION OF ALL DOCUMENTS" in after


def test_an_output_that_stays_open_has_no_end_of_file(toe: Toe) -> None:
    ended = toe.steps(bash("S", "sleep 600 & echo $! > pids"))
    assert ended.exit_code == 0
    assert "STDOUT pipe - EOF" not in ended.console
