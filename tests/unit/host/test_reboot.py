"""What the system is told to run after a reboot: texts with rules of their own."""

import shlex
import sys
from xml.etree import ElementTree as ET

import pytest

from awstoe.errors import HostError
from awstoe.host.later import Later
from awstoe.host.scheduled_task import task_text

WORDS = ("/opt/toe", "run", "--parameters", 'a=it\'s 100% "$HOME" \\ `x` <&>', "")
COMMAND = Later("id-1", WORDS, "/work dir", {"PATH": "/bin:/usr/bin"})


def test_task_of_windows_has_the_command_whole() -> None:
    root = ET.fromstring(task_text(COMMAND).encode("utf-16"))
    names = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert names["Command"] == "/opt/toe"
    assert names["WorkingDirectory"] == "/work dir"
    assert names["UserId"] == "S-1-5-18"
    assert names["ExecutionTimeLimit"] == "PT0S"
    arguments = names["Arguments"] or ""
    assert arguments.startswith('run --parameters "a=it')
    assert arguments.endswith('<&>" ""')


if sys.platform != "win32":
    from awstoe.host import reboot_linux

    def test_line_of_the_crontab_gives_the_shell_the_same_words() -> None:
        line = reboot_linux.cron_line(COMMAND)
        assert line.startswith("@reboot cd '/work dir' && env PATH=/bin:/usr/bin /opt/toe run ")
        assert line.endswith(" > /dev/null 2>&1 # awstoe run id-1")
        assert "100\\% " in line
        assert shlex.split(line.replace("\\%", "%"), comments=True)[6:11] == list(WORDS)

    def test_line_end_in_an_argument_is_refused_for_cron() -> None:
        with pytest.raises(HostError, match="cron takes no command with a line end in it"):
            reboot_linux.cron_line(COMMAND._replace(argv=("toe", "a\nb")))

    def test_unit_of_systemd_quotes_its_own_signs() -> None:
        text = reboot_linux.unit_text(COMMAND)
        assert 'Environment="PATH=/bin:/usr/bin"\n' in text
        assert "WorkingDirectory=/work dir\n" in text
        expected = r'"a=it' + r"'s 100%% \"$$HOME\" \\ `x` <&>" + '" ""'
        assert f'ExecStart="/opt/toe" "run" "--parameters" {expected}\n' in text
        assert "\nWantedBy=multi-user.target\n" in text

    @pytest.mark.parametrize(
        ("there", "expected"),
        [
            ({"shutdown", "systemctl"}, ("shutdown", "-r", "now")),
            ({"systemctl"}, ("systemctl", "reboot")),
            (set(), ("reboot",)),
        ],
    )
    def test_machine_is_rebooted_with_what_is_there(
        there: set[str], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reboot_linux, "_is_there", lambda name: name in there)
        assert reboot_linux.restart_command() == expected
