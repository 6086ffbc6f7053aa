"""The command for the next startup, in formats with quoting rules of their own."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import awstoe
from awstoe.errors import HostError
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import rebooting, startup_command
from awstoe.host.reboot.crontab_entry import cron_line
from awstoe.host.reboot.scheduled_task import task_text
from awstoe.host.reboot.startup_command import CommandResult, StartupCommand, SystemCommands
from awstoe.host.reboot.systemd_unit import unit_text

WORDS = ("/opt/toe", "run", "--parameters", 'a=it\'s 100% "$HOME" \\ `x` <&>', "")
COMMAND = StartupCommand("id-1", WORDS, "/work dir", {"PATH": "/bin:/usr/bin"})


def test_windows_task_has_the_whole_command() -> None:
    root = ET.fromstring(task_text(COMMAND).encode("utf-16"))
    names = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert names["Command"] == "/opt/toe"
    assert names["WorkingDirectory"] == "/work dir"
    assert names["UserId"] == "S-1-5-18"
    assert names["ExecutionTimeLimit"] == "PT0S"
    assert names["Priority"] == "5"
    arguments = names["Arguments"] or ""
    assert arguments.startswith('run --parameters "a=it')
    assert arguments.endswith('<&>" ""')


if sys.platform != "win32":
    from awstoe.host.reboot import linux

    def test_shell_reads_the_same_words_from_the_crontab_line() -> None:
        line = cron_line(COMMAND)
        assert line.startswith("@reboot ( cd '/work dir' && env PATH=/bin:/usr/bin /opt/toe run ")
        assert line.endswith(" ) 2>&1 > /dev/null | logger -t awstoe # awstoe run id-1")
        assert "100'\\%' " in line
        assert shlex.split(line.replace("\\%", "%"), comments=True)[7:12] == list(WORDS)

    class Recorder(SystemCommands):
        """Runs nothing; ``crontab -l`` prints the given text."""

        def __init__(self, crontab: str, *, failing: str = "") -> None:
            super().__init__(Interruption())
            self.crontab = crontab
            self.failing = failing
            self.calls: list[str] = []

        def run(self, *argv: str) -> CommandResult:
            self.calls.append(argv[0])
            if self.failing in argv:
                return CommandResult(1, b"", b"not here")
            if argv == ("crontab", "-l"):
                return CommandResult(0, self.crontab.encode(), b"")
            if argv[0] == "crontab":
                self.crontab = Path(argv[1]).read_bytes().decode()
            return CommandResult(0, b"", b"")

    def test_other_lines_of_the_crontab_are_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(linux, "_exists", lambda name: name == "crontab")
        before = "# a\x0cb\n\n0 5 * * * echo 'c\u2028d\x85'\r\n"
        programs = Recorder(before)
        linux.install(COMMAND, programs)
        assert programs.crontab == f"{before}{cron_line(COMMAND)}\n"
        linux.remove(COMMAND.name, programs)
        assert programs.crontab == before

    @pytest.mark.parametrize("argument", ["x" * 1000, "a\nb"])
    def test_command_that_cron_does_not_support_becomes_a_unit(
        argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(linux, "_exists", lambda _name: True)
        monkeypatch.setattr(linux, "_UNIT_FOLDER", str(tmp_path))
        programs = Recorder("")
        linux.install(COMMAND._replace(argv=("toe", argument)), programs)
        assert programs.calls == ["systemctl", "systemctl"]
        assert (tmp_path / "awstoe-id-1.service").exists()

    @pytest.mark.parametrize("failing", ["daemon-reload", "enable"])
    def test_unit_that_systemd_does_not_accept_is_removed(
        failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(linux, "_exists", lambda name: name == "systemctl")
        monkeypatch.setattr(linux, "_UNIT_FOLDER", str(tmp_path))
        with pytest.raises(HostError, match=f"systemctl {failing}.* exit code 1: not here"):
            linux.install(COMMAND, Recorder("", failing=failing))
        assert list(tmp_path.iterdir()) == []

    def test_unit_is_removed_whatever_the_crontab_has(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(linux, "_exists", lambda _name: True)
        monkeypatch.setattr(linux, "_UNIT_FOLDER", str(tmp_path))
        monkeypatch.setattr(linux, "_SAVED", ())
        unclear = Recorder("0 5 * * * printf 'a\\r'\n")
        linux.install(COMMAND, unclear)
        assert unclear.calls == ["crontab", "systemctl", "systemctl"]
        linux.remove(COMMAND.name, unclear)
        assert list(tmp_path.iterdir()) == []
        linux.install(COMMAND, unclear)
        with pytest.raises(HostError, match="crontab -l ended"):
            linux.remove(COMMAND.name, Recorder("", failing="crontab"))
        assert list(tmp_path.iterdir()) == []

    def test_hanging_program_of_the_system_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(startup_command, "REBOOT_PROGRAM_SECONDS", 0.1)
        with pytest.raises(HostError, match=r"^sleep 600 did not end within 0\.1 seconds$"):
            SystemCommands(Interruption()).run("sleep", "600")

    def test_systemd_unit_quotes_special_characters() -> None:
        text = unit_text(COMMAND).decode()
        assert 'Environment="PATH=/bin:/usr/bin"\n' in text
        assert "WorkingDirectory=/work dir\n" in text
        expected = r'"a=it' + r"'s 100%% \"$$HOME\" \\ `x` <&>" + '" ""'
        assert f'ExecStart="/opt/toe" "run" "--parameters" {expected}\n' in text
        assert "\nWantedBy=multi-user.target\n" in text

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
    def test_systemd_does_not_drop_the_unit_with_cloud_init(tmp_path: Path) -> None:
        wanted = tmp_path / "multi-user.target.wants"
        wanted.mkdir()
        command = COMMAND._replace(argv=("/bin/true",), folder="/")
        (tmp_path / "awstoe-1.service").write_bytes(unit_text(command))
        (wanted / "awstoe-1.service").symlink_to(tmp_path / "awstoe-1.service")
        (tmp_path / "cloud-final.service").write_text(
            "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
        )
        top = tmp_path / "top.target"
        top.write_text("[Unit]\nWants=multi-user.target cloud-final.service\n")
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "top.target"],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert b"awstoe" not in done.stderr, done.stderr.decode()

    @pytest.mark.parametrize(
        ("there", "expected"),
        [
            ({"shutdown", "systemctl"}, ("shutdown", "-r", "now")),
            ({"systemctl"}, ("systemctl", "reboot")),
            (set(), ("reboot",)),
        ],
    )
    def test_machine_is_rebooted_with_an_existing_program(
        there: set[str], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(linux, "_exists", lambda name: name in there)
        assert linux.restart_command() == expected


def test_a_working_directory_that_a_step_removed_prevents_the_reboot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def removed() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("os.getcwd", removed)
    with pytest.raises(HostError, match="its working directory: No such file"):
        rebooting.startup_command("run", ("run",))


@pytest.mark.parametrize("place", ["other", "source"])
def test_modules_are_not_looked_for_in_the_working_directory(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other users may put files there: after the reboot, they would run as root."""
    source = Path(awstoe.__file__).parents[1]
    monkeypatch.chdir(tmp_path if place == "other" else source)
    (tmp_path / "argparse.py").write_text("raise SystemExit('a file of another user ran')\n")
    command = rebooting.startup_command("run", ("run", "--help"))
    done = subprocess.run(
        command.argv, cwd=command.folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: awstoe run" in done.stdout
