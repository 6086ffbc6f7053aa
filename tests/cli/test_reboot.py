"""Reboots, with recording programs instead of the real ones."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.running import Ended, Toe, action, bash, phases, wait_until

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may reboot")
EXIT = {"AWSTOE_REBOOT": "exit"}
RECORDER = """\
#!/bin/sh
echo "$(basename "$0") $*" >> {folder}/calls
{more}
"""
CRONTAB = """\
case "$1" in
-l) [ -e {folder}/root ] && cat {folder}/root || {{ echo "no crontab for root" >&2; exit 1; }} ;;
*)
    cp "$1" {folder}/root
    if [ -e {folder}/hold ]; then rm {folder}/hold; exec sleep 600; fi ;;
esac
"""
LOGGER = "cat >> {folder}/log"
HOLDING = "until [ -e {folder}/go-on ]; do sleep .02; done"
TWICE = "if [ -e marker ]; then echo after; else touch marker; echo before; exit 194; fi"


def record(folder: Path, name: str, more: str = "") -> None:
    """Put a recording program into ``folder``."""
    path = folder / name
    path.write_text(RECORDER.format(folder=folder, more=more.format(folder=folder)))
    path.chmod(0o755)


@pytest.fixture
def stubs(toe: Toe) -> Path:
    """A folder of recording programs, the first on PATH."""
    folder = toe.folder / "stubs"
    folder.mkdir()
    for name in ("shutdown", "reboot", "systemctl"):
        record(folder, name)
    record(folder, "crontab", CRONTAB)
    record(folder, "logger", LOGGER)
    toe.environment["PATH"] = f"{folder}{os.pathsep}{toe.environment['PATH']}"
    return folder


@pytest.fixture
def alone(toe: Toe, stubs: Path) -> Path:
    """The same, without an agent that reboots."""
    del toe.environment["AWSTOE_REBOOT"]
    assert toe.environment["PATH"].startswith(str(stubs))
    return stubs


def calls(stubs: Path) -> list[str]:
    path = stubs / "calls"
    return path.read_text().splitlines() if path.exists() else []


def paused(ended: Ended) -> None:
    assert ended.exit_code == 194
    assert ended.summary["status"] == "running"
    assert ended.summary["failureMessage"] == ""
    assert ended.stderr.count("\nawstoe: a step requests a reboot: ") == 1


# --- documents that are not named ---------------------------------------------------------------
def test_documents_of_a_folder_resume_by_their_names(toe: Toe, stubs: Path) -> None:
    """Under an agent, the same command expands the folder again."""
    toe.document(action("restart", "Reboot", {"delaySeconds": 0}), name="all/a.yml")
    toe.document(bash("last", "echo x >> last"), name="all/b.yml")
    paused(toe.run("all", environment=EXIT))
    ended = toe.run("all", environment=EXIT)
    assert ended.counts == ("success", 2, 0, 0)
    assert (toe.folder / "last").read_text() == "x\n"
    assert calls(stubs) == []


def test_a_folder_that_has_more_documents_after_the_reboot_does_not_reboot_again(toe: Toe) -> None:
    copy = bash("copy", "cp all/b.yml all/c.yml")
    toe.document(copy, action("restart", "Reboot", {"delaySeconds": 0}), name="all/a.yml")
    toe.document(bash("last", "echo x >> last"), name="all/b.yml")
    first = toe.run("all", environment=EXIT)
    paused(first)
    ended = toe.run("all", environment=EXIT)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"the run {first.summary['executionId']} waited for this reboot" in ended.stderr
    ended = toe.run("all/a.yml", "all/b.yml", environment=EXIT)
    assert ended.counts == ("success", 3, 0, 0)


@ROOT
def test_the_startup_command_names_the_documents_of_a_folder(toe: Toe, alone: Path) -> None:
    toe.document(action("restart", "Reboot", {"delaySeconds": 0}), name="all/a.yml")
    toe.document(bash("last", "true"), name="all/b c.yml")
    ended = toe.run("all", "--parameters", "One=1", "-t")
    assert ended.exit_code == 194
    (line,) = (alone / "root").read_text().splitlines()
    execution_id = ended.summary["executionId"]
    assert (
        f"run --parameters One=1 --trace=true --state-directory {toe.state} --resume --execution-id"
        f" {execution_id} -- all/a.yml 'all/b c.yml' )"
    ) in line


@ROOT
def test_a_document_from_standard_input_does_not_reboot_the_machine(toe: Toe, alone: Path) -> None:
    text = toe.read(toe.document(action("restart", "Reboot", {"delaySeconds": 0})))
    ended = toe.call(toe.argv("-"), stdin=text)
    assert ended.exit_code == 1
    assert "a document was read from standard input" in ended.summary["failureMessage"]
    assert "save the document as a file" in ended.stderr
    assert not [call for call in calls(alone) if not call.startswith("crontab -l")]


@ROOT
@pytest.mark.parametrize("kind", ["config", "document"])
def test_a_file_that_a_reboot_removes_does_not_reboot_the_machine(
    toe: Toe, alone: Path, kind: str
) -> None:
    """As in `--config <(...)`, and `run /dev/stdin < doc.yml`."""
    document = toe.document(action("restart", "Reboot", {"delaySeconds": 0}))
    config = toe.write("run.json", json.dumps({"documents": [{"path": document}]}))
    with open(toe.folder / (config if kind == "config" else document), "rb") as file:
        path = f"/dev/fd/{file.fileno()}"
        named = ("--config", path) if kind == "config" else (path,)
        done = subprocess.run(
            toe.argv(*named),
            cwd=toe.folder,
            env=toe.environment,
            pass_fds=[file.fileno()],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1, done.stderr
    assert f"cannot resume after a reboot: {path} is not a file that exists then" in done.stderr
    assert calls(alone) == []


@ROOT
def test_a_document_that_a_step_removes_does_not_reboot_the_machine(toe: Toe, alone: Path) -> None:
    document = toe.document(
        bash("remove", "rm doc.yml"), action("restart", "Reboot", {"delaySeconds": 0})
    )
    ended = toe.run("-d", document)
    assert ended.exit_code == 1
    assert f"{document} does not exist anymore" in ended.summary["failureMessage"]
    assert "do not remove or move it in a step" in ended.stderr
    assert calls(alone) == []


def test_a_document_from_standard_input_resumes_under_an_agent(toe: Toe) -> None:
    text = toe.read(toe.document(bash("before", "echo x >> count"), bash("script", TWICE)))
    paused(toe.call(toe.argv("-"), stdin=text, environment=EXIT))
    ended = toe.call(toe.argv("-"), stdin=text, environment=EXIT)
    assert ended.counts == ("success", 2, 0, 0)
    assert (toe.folder / "count").read_text() == "x\n"


# --- with an agent that reboots -----------------------------------------------------------------
def test_run_resumes_with_the_step_after_the_reboot(toe: Toe, stubs: Path) -> None:
    document = toe.document(
        bash("first", "echo value >> first"),
        action("restart", "Reboot", {"delaySeconds": 0}),
        bash("second", "echo '{{ build.first.outputs.stdout }}after'; echo x >> second"),
    )
    first = toe.run("-d", document, environment=EXIT)
    paused(first)
    assert first.statuses == {"first": "success", "restart": "success"}
    assert not (toe.folder / "second").exists()
    second = toe.run("-d", document, environment=EXIT)
    assert second.exit_code == 0
    assert second.counts == ("success", 3, 0, 0)
    assert second.logs == first.logs
    assert second.summary["executionId"] == first.summary["executionId"]
    assert (toe.folder / "first").read_text() == "value\n"
    assert second.printed("second") == "after"
    assert calls(stubs) == []


def test_agent_is_recognized_by_its_variable(toe: Toe, alone: Path) -> None:
    document = toe.document(action("restart", "Reboot", {}))
    paused(toe.run("-d", document, environment={"AWS_SSM_INSTANCE_ID": "i-1"}))
    assert calls(alone) == []


def test_inputs_of_reboot_are_optional(toe: Toe) -> None:
    document = toe.document({"name": "restart", "action": "Reboot"})
    paused(toe.run("-d", document, environment=EXIT))
    assert toe.run("-d", document, environment=EXIT).exit_code == 0


def test_step_that_requests_a_reboot_with_its_exit_code_runs_again(toe: Toe) -> None:
    document = toe.document(
        bash("before", "echo x >> count"), bash("script", TWICE), bash("last", "true")
    )
    paused(toe.run("-d", document, environment=EXIT))
    ended = toe.run("-d", document, environment=EXIT)
    assert ended.counts == ("success", 3, 0, 0)
    assert ended.printed("script") == "after"
    assert (toe.folder / "count").read_text() == "x\n"


def test_condition_is_not_evaluated_again(toe: Toe) -> None:
    document = toe.document(
        bash("script", TWICE, **{"if": {"not": {"fileExists": str(toe.folder / "marker")}}})
    )
    paused(toe.run("-d", document, environment=EXIT))
    assert toe.run("-d", document, environment=EXIT).statuses == {"script": "success"}


def test_loop_resumes_in_the_same_iteration(toe: Toe) -> None:
    script = (
        "if [ -e m{{ loop.value }} ]; then echo {{ loop.value }};"
        " else touch m{{ loop.value }}; exit 194; fi"
    )
    document = toe.document(bash("looped", script, loop={"forEach": ["a", "b", "c", "d", "e"]}))
    for _ in range(5):
        paused(toe.run("-d", document, environment=EXIT))
    ended = toe.run("-d", document, environment=EXIT)
    assert ended.exit_code == 0
    assert ended.printed("looped") == "a\nb\nc\nd\ne"


def test_reboot_in_a_loop_reboots_once_per_iteration(toe: Toe) -> None:
    document = toe.document(
        action("restart", "Reboot", {}, loop={"for": {"start": 1, "end": 4, "updateBy": 1}})
    )
    for _ in range(4):
        paused(toe.run("-d", document, environment=EXIT))
    assert toe.run("-d", document, environment=EXIT).exit_code == 0


def test_nested_document_reboots_and_resumes(toe: Toe) -> None:
    toe.document(
        bash("inner", "echo x >> inner"),
        action("restart", "Reboot", {}),
        bash("rest", "echo y >> inner"),
        name="child.yml",
    )
    document = toe.document(
        action("nested", "ExecuteDocument", {"document": "child.yml"}), bash("last", "true")
    )
    paused(toe.run("-d", document, environment=EXIT))
    ended = toe.run("-d", document, environment=EXIT)
    assert ended.counts == ("success", 2, 0, 0)
    assert (toe.folder / "inner").read_text() == "x\ny\n"


def test_script_that_always_requests_a_reboot_is_stopped(toe: Toe) -> None:
    document = toe.document(bash("script", "exit 194"))
    for _ in range(3):
        paused(toe.run("-d", document, environment=EXIT))
    ended = toe.run("-d", document, environment=EXIT)
    assert ended.exit_code == 1
    assert "requests its reboot number 4 in a row" in ended.steps["script"]["failureMessage"]


@pytest.mark.parametrize("how", ["Reboot", "script"])
def test_blocked_reboot_fails_the_step(toe: Toe, how: str) -> None:
    step = action("it", "Reboot", {}) if how == "Reboot" else bash("it", "exit 194")
    document = toe.document(step)
    ended = toe.run("-d", document, "--blocked-action-modules", "Reboot", environment=EXIT)
    assert ended.exit_code == 1


def test_other_command_does_not_resume_the_run(toe: Toe) -> None:
    document = toe.document(
        phases=phases(build=[action("restart", "Reboot", {})], test=[bash("later", "true")])
    )
    first = toe.run("-d", document, environment=EXIT, state=False)
    paused(first)
    other = toe.run("-d", document, "-p", "test", environment=EXIT, state=False)
    assert other.summary["executionId"] != first.summary["executionId"]
    again = toe.run("-d", document, environment=EXIT, state=False)
    assert again.summary["executionId"] == first.summary["executionId"]


def test_delay_can_be_interrupted_and_the_run_resumed(toe: Toe) -> None:
    document = toe.document(action("restart", "Reboot", {"delaySeconds": 60}), bash("last", "true"))
    toe.environment.update(EXIT)
    started = toe.start("-d", document)
    wait_until(
        lambda: any(
            "the machine reboots in 60 seconds" in log.read_text()
            for log in toe.folder.glob("TOE_*/console.log")
        )
    )
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    ended = toe.run("-d", document, "--resume")
    assert ended.counts == ("success", 2, 0, 0)


# --- without an agent ---------------------------------------------------------------------------
@ROOT
def test_without_an_agent_it_adds_itself_to_the_crontab(toe: Toe, alone: Path) -> None:
    (alone / "root").write_text("MAILTO=x\n0 5 * * * backup\n")
    document = toe.document(
        action("restart", "Reboot", {}),
        action("last", "CreateFile", [{"path": "last", "content": "{{ TEXT }}"}]),
        parameters=[{"TEXT": {"type": "string"}}],
    )
    ended = toe.run("-d", document, "--parameters", "TEXT=it's 100% $HOME")
    paused(ended)
    assert [call.partition(" ")[0] for call in calls(alone)] == ["crontab", "crontab", "shutdown"]
    assert calls(alone)[-1] == "shutdown -r now"
    lines = (alone / "root").read_text().splitlines()
    assert lines[:2] == ["MAILTO=x", "0 5 * * * backup"]
    execution_id = ended.summary["executionId"]
    assert lines[2].startswith(f"@reboot ( cd {toe.folder} && env PATH=")
    assert lines[2].endswith(
        f"--resume --execution-id {execution_id} ) 2>&1 > /dev/null | logger -t awstoe"
        f" # awstoe run {execution_id}"
    )
    assert "build/last: success" in after_reboot(alone, lines[2])
    assert (toe.folder / "last").read_text() == "it's 100% $HOME"
    assert (alone / "root").read_text() == "MAILTO=x\n0 5 * * * backup\n"
    records = json.loads((ended.logs / "detailedoutput.json").read_text())
    assert records["status"] == "success"


def after_reboot(stubs: Path, line: str) -> str:
    """Do what cron does at the next start. Return what the system log gets."""
    command = line.removeprefix("@reboot ").replace("\\%", "%")
    environment = {"PATH": f"{stubs}:/usr/bin:/bin", "HOME": "/root", "XDG_STATE_HOME": ""}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert "logger -t awstoe" in calls(stubs)
    return (stubs / "log").read_text()


@ROOT
@pytest.mark.parametrize("gone", ["document", "state", "config"])
def test_command_that_cannot_resume_is_not_repeated_at_every_start(
    toe: Toe, alone: Path, gone: str
) -> None:
    (alone / "root").write_text("0 5 * * * backup\n")
    document = toe.document(action("restart", "Reboot", {}), bash("last", "true"))
    config = toe.write("run.json", json.dumps({"documents": [{"path": document}]}))
    ended = toe.run(*(("--config", config) if gone == "config" else ("-d", document)))
    paused(ended)
    if gone == "state":
        shutil.rmtree(toe.state)
    else:
        (toe.folder / (config if gone == "config" else document)).unlink()
    stderr = after_reboot(alone, (alone / "root").read_text().splitlines()[1])
    assert "awstoe: error: " in stderr
    reasons = {"document": "doc.yml", "config": "run.json", "state": "there is no unfinished run"}
    assert reasons[gone] in stderr
    assert (alone / "root").read_text() == "0 5 * * * backup\n"


@ROOT
def test_run_does_not_resume_by_itself_before_the_reboot(toe: Toe, alone: Path) -> None:
    """The same command during the same boot of the machine starts a new run."""
    document = toe.document(bash("script", TWICE))
    first = toe.run("-d", document)
    paused(first)
    second = toe.run("-d", document)
    assert second.exit_code == 0
    assert second.summary["executionId"] != first.summary["executionId"]
    assert "the state of an earlier run was moved to" in second.stderr
    assert calls(alone)[-1] == "shutdown -r now"


@ROOT
def test_failing_crontab_stops_the_run_before_the_reboot(toe: Toe, alone: Path) -> None:
    (alone / "crontab").write_text("#!/bin/sh\necho 'not allowed' >&2\nexit 1\n")
    document = toe.document(action("restart", "Reboot", {}), bash("last", "true"))
    ended = toe.run("-d", document)
    assert ended.exit_code == 1
    assert "crontab -l ended with exit code 1: not allowed" in ended.summary["failureMessage"]
    assert "--resume" in ended.stderr
    assert calls(alone) == []
    assert toe.run("-d", document, "--resume", environment=EXIT).exit_code == 0


@ROOT
def test_failing_reboot_is_reported(toe: Toe, alone: Path) -> None:
    (alone / "shutdown").write_text("#!/bin/sh\necho 'no way' >&2\nexit 1\n")
    ended = toe.run("-d", toe.document(action("restart", "Reboot", {})))
    assert ended.exit_code == 1
    assert "shutdown -r now ended with exit code 1: no way" in ended.stderr
    assert "reboot the machine; to resume it" in ended.stderr


@ROOT
def test_run_interrupted_before_the_reboot_does_not_resume_by_itself(toe: Toe, alone: Path) -> None:
    (alone / "root").write_text("0 5 * * * backup\n")
    (alone / "hold").touch()
    document = toe.document(action("restart", "Reboot", {}), bash("last", "true"))
    started = toe.start("-d", document)
    wait_until(lambda: "@reboot" in (alone / "root").read_text() and not (alone / "hold").exists())
    started.signal(signal.SIGINT)
    ended = started.end()
    assert ended.exit_code == 130
    assert "Interrupted by SIGINT" in ended.summary["failureMessage"]
    assert f"--resume --execution-id {ended.summary['executionId']}" in ended.stderr
    assert (alone / "root").read_text() == "0 5 * * * backup\n"
    assert not [call for call in calls(alone) if call.startswith("shutdown")]
    assert toe.run("-d", document, "--resume", environment=EXIT).counts == ("success", 2, 0, 0)


@ROOT
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_does_not_stop_a_reboot_that_was_requested(
    toe: Toe, alone: Path, number: signal.Signals
) -> None:
    record(alone, "shutdown", HOLDING)
    started = toe.start("-d", toe.document(action("restart", "Reboot", {})))
    wait_until(lambda: "shutdown -r now" in calls(alone))
    started.signal(number)
    time.sleep(0.2)
    (alone / "go-on").touch()
    ended = started.end()
    paused(ended)
    assert f"{number.name} arrived after the reboot was requested" in ended.stderr
    assert "@reboot" in (alone / "root").read_text()


@ROOT
def test_reboot_that_ends_the_program_requesting_it_is_in_progress(toe: Toe, alone: Path) -> None:
    record(alone, "shutdown", "kill -TERM $$")
    ended = toe.run("-d", toe.document(action("restart", "Reboot", {})))
    paused(ended)
    assert "error" not in ended.stderr


@ROOT
def test_resumed_run_interrupted_before_its_first_step_is_reported(toe: Toe, alone: Path) -> None:
    document = toe.document(action("restart", "Reboot", {}), bash("last", "true"))
    first = toe.run("-d", document)
    paused(first)
    (alone / "hold").touch()
    started = toe.start("-d", document, "--resume")
    wait_until(lambda: not (alone / "hold").exists())
    started.signal(signal.SIGTERM)
    ended = started.end()
    assert ended.exit_code == 143
    assert "Interrupted by SIGTERM" in ended.summary["failureMessage"]
    assert "--resume --execution-id" in ended.stderr
    assert toe.run("-d", document, "--resume").counts == ("success", 2, 0, 0)


def test_without_permission_the_step_fails(toe: Toe, alone: Path) -> None:
    if os.geteuid() == 0:
        toe.become_nobody()
    ended = toe.run("-d", toe.document(action("restart", "Reboot", {})))
    assert ended.exit_code == 1
    message = ended.steps["restart"]["failureMessage"]
    assert "requests a reboot, which is not possible: " in message
    assert calls(alone) == []
