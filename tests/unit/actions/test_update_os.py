"""UpdateOS: the commands for each package manager, and the script for Windows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe.actions import package_managers, update_os, windows_update
from awstoe.actions.contract import Result
from awstoe.actions.package_managers import Wanted
from awstoe.errors import ActionError
from awstoe.host import machine
from awstoe.host.platforms import Platform
from fakes.answering_context import AnsweringContext

SIMULATED = """\
NOTE: This is only a simulation!
Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])
Inst curl [7.88] (7.89 Debian:12/stable [amd64])
Inst libc6:i386 [2.36-9] (2.36-10 Debian:12/stable [i386])
Inst wine32:i386 [8.0-1] (8.0-2 Debian:12/stable [i386])
Conf libc6 (2.36-10 Debian:12/stable [amd64])
"""
APT_UPDATE = "apt-get -o APT::Update::Error-Mode=any update"
AGREEING = "--auto-agree-with-licenses"
LISTED = """\
<stream><update-status version="0.6"><update-list>
<update kind="package" name="curl" edition="8" arch="x86_64"></update>
<update  arch="x86_64" name="vim" kind="package"></update>
</update-list></update-status></stream>
"""


def commands(
    manager: str,
    tmp_path: Path,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    answers: dict[str, Result] | None = None,
) -> list[str]:
    """The command lines, without their common options."""

    def answer(argv: tuple[str, ...]) -> Result | None:
        line = " ".join(argv)
        return next((given for part, given in (answers or {}).items() if part in line), None)

    update = package_managers.find(lambda name: name == manager)
    assert update is not None
    ctx = AnsweringContext(tmp_path, answer)
    update(Wanted(include, exclude), ctx)
    return [" ".join(_plain(argv)) for argv in ctx.started]


def _plain(argv: tuple[str, ...]) -> list[str]:
    command = list(argv)
    if "apt-get" in command:
        assert command[1] == "DEBIAN_FRONTEND=noninteractive"
        command = command[command.index("apt-get") :]
        assert command[1:3] == ["-q", "-y"]
        del command[1:9]
    if "zypper" in command:
        assert command[:4] == ["env", "ZYPP_LOCK_TIMEOUT=600", "zypper", "--non-interactive"]
        del command[:2]
    return command


def test_first_existing_package_manager_is_used(tmp_path: Path) -> None:
    assert package_managers.find(lambda _name: False) is None
    update = package_managers.find(lambda name: name in {"dnf", "yum"})
    assert update is not None
    ctx = AnsweringContext(tmp_path)
    update(Wanted((), ()), ctx)
    assert ctx.started == [("dnf", "-y", "upgrade")]


@pytest.mark.parametrize(
    ("manager", "include", "exclude", "expected"),
    [
        ("dnf", (), (), ["dnf -y upgrade"]),
        ("dnf", ("a", "b"), (), ["dnf -y upgrade a b"]),
        ("dnf", (), ("a",), ["dnf -y --exclude=a upgrade"]),
        ("dnf", ("a", "b"), ("b",), ["dnf -y --exclude=b upgrade a"]),
        ("dnf", ("a",), ("a",), []),
        ("yum", (), (), ["yum -y update"]),
        ("yum", ("a",), ("b",), ["yum -y --exclude=b update a"]),
        ("apt-get", (), (), [APT_UPDATE, "apt-get --with-new-pkgs upgrade"]),
        (
            *("apt-get", ("curl",), ()),
            [
                APT_UPDATE,
                "apt-get --only-upgrade --simulate install -- curl",
                "apt-get --only-upgrade install -- curl",
            ],
        ),
        ("apt-get", ("curl",), ("curl",), [APT_UPDATE]),
        ("zypper", (), (), ["refresh", f"update {AGREEING}"]),
        ("zypper", ("a", "b"), ("b",), ["refresh", f"update {AGREEING} -- a"]),
        ("zypper", ("a",), ("a",), ["refresh"]),
    ],
)
def test_package_manager_gets_the_wanted_updates(
    manager: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    expected: list[str],
    tmp_path: Path,
) -> None:
    lines = commands(manager, tmp_path, include, exclude)
    assert [line.removeprefix("zypper --non-interactive ") for line in lines] == expected


def test_apt_updates_the_rest_if_something_is_excluded(tmp_path: Path) -> None:
    answers = {"--with-new-pkgs": Result(0, SIMULATED, "")}
    assert commands("apt-get", tmp_path, exclude=("libc6",), answers=answers)[-2:] == [
        "apt-get --only-upgrade --simulate install -- curl wine32:i386",
        "apt-get --only-upgrade install -- curl wine32:i386",
    ]


def test_apt_update_that_needs_an_excluded_package_is_an_error(tmp_path: Path) -> None:
    answers = {"--only-upgrade --simulate": Result(0, SIMULATED, "")}
    with pytest.raises(ActionError, match=r"need these excluded packages: libc6, libc6:i386$"):
        commands("apt-get", tmp_path, ("curl",), ("libc6",), answers)


def test_name_that_would_make_apt_remove_a_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="apt-get would remove a package for 'curl-'"):
        commands("apt-get", tmp_path, ("curl-",))


@pytest.mark.parametrize(
    ("manager", "part"), [("apt-get", "--with-new-pkgs"), ("zypper", "list-updates")]
)
def test_incomplete_list_of_updates_is_an_error(manager: str, part: str, tmp_path: Path) -> None:
    answers = {part: Result(0, SIMULATED, "", stdout_is_cut=True)}
    with pytest.raises(ActionError, match="longer than the limit for outputs"):
        commands(manager, tmp_path, exclude=("libc6",), answers=answers)


def test_zypper_updates_the_rest_if_something_is_excluded(tmp_path: Path) -> None:
    answers = {"list-updates": Result(0, LISTED, "")}
    lines = commands("zypper", tmp_path, exclude=("vim",), answers=answers)
    assert lines[-1] == f"zypper --non-interactive update {AGREEING} -- curl"


def test_zypper_that_updated_itself_is_run_again(tmp_path: Path) -> None:
    results = iter([Result(103, "", ""), Result(102, "", "")])
    ctx = AnsweringContext(tmp_path, lambda argv: next(results) if "update" in argv else None)
    update = package_managers.find(lambda name: name == "zypper")
    assert update is not None
    update(Wanted((), ()), ctx)
    assert [argv[4] for argv in ctx.started] == ["refresh", "update", "update"]


@pytest.mark.parametrize("manager", ["apt-get", "dnf", "yum", "zypper"])
def test_failure_of_the_package_manager_fails_the_step(manager: str, tmp_path: Path) -> None:
    answers = {manager: Result(100, "", "no network")}
    with pytest.raises(ActionError, match=f"{manager} ended with exit code 100") as failure:
        commands(manager, tmp_path, answers=answers)
    assert (failure.value.process_exit_code, failure.value.stderr_tail) == (100, "no network")


HOLDER = """
import fcntl, sys, time
with open(sys.argv[1], "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not shutil.which("apt-get"), reason="apt-get is not installed")
def test_apt_waits_while_another_program_updates_its_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """apt-get itself does not. A machine that has just started is often fetching them."""
    for folder in ("state/lists/partial", "cache/archives/partial", "etc"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "state/status").touch()
    settings = {
        "Dir::State": "state",
        "Dir::State::status": "state/status",
        "Dir::Cache": "cache",
        "Dir::Etc": "etc",
    }
    config = tmp_path / "apt.conf"
    config.write_text("".join(f'{key} "{tmp_path}/{name}";\n' for key, name in settings.items()))
    monkeypatch.setattr(package_managers, "_ASK_AGAIN_SECONDS", 0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "state/lists/lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    codes: list[int] = []

    def run(argv: tuple[str, ...]) -> Result:
        environment = {**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        codes.append(done.returncode)
        if len(codes) == 2:
            holder.communicate()
        return Result(done.returncode, done.stdout, done.stderr)

    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        update = package_managers.find(lambda name: name == "apt-get")
        assert update is not None
        ctx = AnsweringContext(tmp_path, run)
        update(Wanted(("a",), ("a",)), ctx)
    assert codes == [100, 100, 0]
    assert any("waiting until it ends" in line for line in ctx.log.lines)


def test_lists_that_stay_locked_fail_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_managers, "_LOCKED_SECONDS", 0)
    answers = {"apt-get": Result(100, "", "Could not get lock /var/lib/apt/lists/lock.")}
    with pytest.raises(ActionError, match="apt-get ended with exit code 100"):
        commands("apt-get", tmp_path, answers=answers)


# --- the action -------------------------------------------------------------------------------
@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_administrator", lambda: True)


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("name", ["", "-y", "--allow-downgrades", "two words", "a\nb"])
def test_invalid_package_name_is_an_error(name: str, tmp_path: Path) -> None:
    ctx = AnsweringContext(tmp_path)
    with pytest.raises(ActionError, match="expected the name of a package"):
        update_os.run(update_os.Inputs(exclude=(name,)), ctx)
    assert ctx.started == []


@pytest.mark.usefixtures("as_root")
def test_missing_package_manager_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ActionError, match="no supported package manager was found"):
        update_os.run(update_os.Inputs(), AnsweringContext(tmp_path))


def test_nothing_is_started_without_the_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "is_administrator", lambda: False)
    ctx = AnsweringContext(tmp_path)
    with pytest.raises(ActionError, match="only root or an administrator"):
        update_os.run(update_os.Inputs(), ctx)
    assert ctx.started == []


# --- Windows ----------------------------------------------------------------------------------
def test_script_for_windows_has_literal_patterns() -> None:
    text = windows_update.script(("KB123", "*Defender's*"), ("*[Preview]*", "a`b?", "it\u2019s"))
    assert "$include = @('KB123', '*Defender''s*')" in text
    assert "$exclude = @('*`[Preview`]*', 'a``b`?', 'it\u2019\u2019s')" in text


def test_script_for_windows_installs_everything_by_default() -> None:
    text = windows_update.script((), ())
    assert "$include = @()" in text
    assert "INCLUDE" not in text
    assert "REBOOT_MARK" not in text


def test_pattern_with_a_placeholder_name_stays_a_pattern() -> None:
    text = windows_update.script(("EXCLUDE", "'; Remove-Item C:\\"), ("REBOOT_MARK",))
    assert "$include = @('EXCLUDE', '''; Remove-Item C:\\')" in text
    assert "$exclude = @('REBOOT_MARK')" in text


@pytest.mark.usefixtures("as_root")
def test_script_runs_on_windows_and_a_needed_reboot_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_os, "current", lambda: Platform.WINDOWS)
    printed = Result(0, f"installed: x\n{windows_update.REBOOT_MARK}", "")
    ctx = AnsweringContext(tmp_path, lambda _argv: printed)
    update_os.run(update_os.Inputs(include=("KB1",)), ctx)
    assert ctx.started[0][0] == "powershell.exe"
    assert ctx.scripts[0].startswith("\ufeff$ErrorActionPreference")
    assert f"WARNING UpdateOS: {windows_update.REBOOT_MARK}" in ctx.log.lines
    assert ctx.reboots == []
