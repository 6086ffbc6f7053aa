"""``awstoe self-update`` and ``awstoe update-bundle`` as commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe.cli import self_update, update_bundle
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host import machine
from awstoe.host.executable import lock
from awstoe.reporting.console import Console
from awstoe.session import pending_reboots, program_lock
from awstoe.state import store
from awstoe.update.errors import Busy
from awstoe.update.install_record import InstallStep
from awstoe.update.installation import check_replaceable, this_installation


def awstoe(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "awstoe", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XDG_STATE_HOME": str(folder)},
        check=False,
    )


REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("options", [[], ["--check"], ["--rollback"], ["--from-file", "x"]])
def test_a_source_tree_is_rejected_with_a_hint(tmp_path: Path, options: list[str]) -> None:
    ended = awstoe("self-update", *options, folder=tmp_path)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert ended.stderr == (
        "awstoe: error: this copy of awstoe is a Python package, which does not update itself\n"
        f"  hint: it runs from the source tree {REPOSITORY}: update that tree\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_rejected_update_is_reported_as_json(tmp_path: Path) -> None:
    ended = awstoe("self-update", "--json", folder=tmp_path)
    assert ended.returncode == 3
    result = json.loads(ended.stdout)
    assert (result["outcome"], result["exitCode"]) == ("failed", 3)


PLACES = {"--from-file": "x.bundle", "--url": "https://x/{region}/", "--region": "eu-west-1"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        *((["--rollback", *each], f"{each[0]} has no effect") for each in PLACES.items()),
        *(
            (
                ["--from-file", "x", option, PLACES[option]],
                f"does not use the network, so {option} has no effect",
            )
            for option in ("--url", "--region")
        ),
        (["--from-file", "", "--url", ""], "does not use the network, so --url has no effect"),
        (["--check", "--rollback"], "--check and --rollback cannot be combined"),
        (
            ["--check", "--rollback", "--version", "1.0.0"],
            "--check and --rollback cannot be combined",
        ),
        (["--check", "--dry-run"], "--check and --dry-run cannot be combined"),
        (["--version"], "expected one argument"),
        (["--chekc"], "unknown option --chekc"),
        (["1.2.3"], "unexpected argument"),
    ],
)
def test_incompatible_options_are_rejected(options: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        self_update.run(options, Console())


def test_errors_and_lines_do_not_control_the_terminal(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    console = Console()
    console.error(AwstoeError("one\n\x1b]0;two\x9b", hint="\x07three"))
    console.line("fo\x1bur\ud800")
    console.result({"x": "\x9b\u202e\u00e9\U0001f600\x1b"})
    out, err = (each.decode() for each in capfdbinary.readouterr())
    assert err == "awstoe: error: one\n?]0;two?\n  hint: ?three\nfo?ur\\ud800\n"
    assert json.loads(out) == {"x": "\x9b\u202e\u00e9\U0001f600\x1b"}
    assert "\u00e9\U0001f600" in out
    assert all(each.isprintable() for each in out.splitlines())


def test_help_names_every_option(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        self_update.run(["--help"], Console())
    text = capfd.readouterr().out
    for option in (
        *("--check", "--version", "--region", "--url", "--rollback", "--from-file"),
        *("--dry-run", "--wait", "--json"),
    ):
        assert f"  {option}" in text


def test_help_of_update_bundle_names_its_action_once(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        update_bundle.run(["--help"], Console())
    usage = " ".join(capfd.readouterr().out.partition("\n\n")[0].split())
    assert usage.startswith("usage: awstoe update-bundle [-h] ")
    assert usage.endswith(" verify BUNDLE")
    assert usage.count("verify") == 1


def test_a_source_tree_cannot_check_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    ended = awstoe("update-bundle", "verify", "x", folder=tmp_path)
    assert ended.returncode == 3
    assert "has no release keys to check with" in ended.stderr


def test_a_source_tree_has_no_trust_or_metadata_folder() -> None:
    program = this_installation()
    assert program.machine.target == f"{program.machine.platform}/{program.machine.architecture}"
    assert program.trust is None
    assert program.metadata_folder is None


def test_progress_is_shown_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []
    console = Console()
    monkeypatch.setattr(console, "raw", drawn.append)
    monkeypatch.setattr(console, "is_terminal", lambda: False)
    self_update.UpdateProgress(console, None).progress(1, 2)
    assert drawn == []
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    progress = self_update.UpdateProgress(console, None)
    for done in range(0, 2_000_001, 1000):
        progress.progress(done, 2_000_000)
    progress.reached(InstallStep.DOWNLOADED)
    assert len(drawn) == 102
    assert drawn[50] == b"\r  [" + b"#" * 15 + b"." * 15 + b"]  50%  1.0 of 2.0 MB"
    assert drawn[-1] == b"\n"


def test_run_waits_for_a_swap_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "awstoe"
    program.write_bytes(b"x")
    monkeypatch.setattr(lock, "own_executable", lambda: str(program))
    monkeypatch.setattr("awstoe.limits.UPDATE_RUN_WAIT_SECONDS", 0.3)
    monkeypatch.setattr("awstoe.limits.UPDATE_LOCK_POLL_SECONDS", 0.05)
    messages: list[str] = []
    console = Console()
    monkeypatch.setattr(console, "line", messages.append)
    update = lock.lock_exclusive(str(program))
    assert update is not None
    with pytest.raises(program_lock.UpdateGoesOn) as caught:
        program_lock.hold_program(console)
    assert caught.value.exit_code == 75
    assert messages == ["awstoe: an update of this program is in progress: waiting for it"]
    os.close(update)
    program_lock.hold_program(console)
    assert lock.lock_exclusive(str(program)) is None  # as long as this process lives


def test_program_that_cannot_be_locked_runs_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(HostError):
        lock.lock_shared(missing)
    monkeypatch.setattr(lock, "own_executable", lambda: missing)
    messages: list[str] = []
    console = Console()
    monkeypatch.setattr(console, "line", messages.append)
    program_lock.hold_program(console)
    assert messages == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ()),
        ([["RebootAsked", "", 0, 0, 0, "boot"]], ("run-1",)),
        ([["RebootAsked", "", 0, 0, 0, "boot"], ["RunResumed", "", "now"]], ()),
        ([["RebootAsked", "", 0, 0, 0, "boot"], ["RunFinished", "", "now"]], ()),
        ([["RebootAsked", "", 0, 0, 0, "boot"], ["RunFinished", "nested", "now"]], ("run-1",)),
    ],
)
def test_run_that_waits_for_a_reboot_keeps_its_program(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[list[object]],
    expected: tuple[str, ...],
) -> None:
    monkeypatch.setattr(machine, "state_root", lambda: str(tmp_path))
    state = store.create(str(tmp_path / "run-1"))
    state.write_manifest(store.Manifest("run-1", (), (), (), str(tmp_path), "then", ()))
    lines = "".join(json.dumps(each) + "\n" for each in entries)
    (Path(state.folder) / store.JOURNAL).write_text(lines)
    assert pending_reboots.waiting_runs() == expected
    program = this_installation(pending_reboots.waiting_runs())
    assert program.waiting_runs == expected
    if expected:
        with pytest.raises(Busy, match=r"a run is waiting for a reboot of this machine.*run-1"):
            check_replaceable(program._replace(running=None))
    state.remove()
