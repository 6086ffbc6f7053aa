"""Every byte of a command for the next startup arrives, by models of the programs that read it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from awstoe.errors import HostError
from awstoe.host.reboot.crontab_entry import (
    added,
    could_be_escaped,
    cron_line,
    is_of,
    is_too_much,
    listed_part,
)
from awstoe.host.reboot.scheduled_task import task_text
from awstoe.host.reboot.startup_command import StartupCommand
from awstoe.host.reboot.systemd_unit import unit_name, unit_text
from fakes import startup_readers as readers
from fakes.windows_arguments import cut_up

from .words import NAMES, NAMES_WITH_LINE_BREAKS, WITH_LINE_BREAKS, WORDS

FOLDERS = ["/", *(f"/x/{name}" for name in NAMES)]


def command(*words: str, program: str = "/opt/toe", folder: str = "/x") -> StartupCommand:
    return StartupCommand("id-1", (program, *words), folder, {"PATH": "/bin:/usr/bin"})


def after_cron(line: str, reader: readers.Reader) -> tuple[str, list[str]]:
    """Return the folder and the words of the program, as a shell reads what cron gives it."""
    words = shlex.split(os.fsdecode(reader(os.fsencode(line))), comments=True)
    assert words[:2] == ["(", "cd"]
    assert words[3:6] == ["&&", "env", "PATH=/bin:/usr/bin"]
    end = words.index(")", len(words) - 8)
    return words[2], words[6:end]


@pytest.mark.parametrize("cron", readers.CRONS)
def test_cron_and_a_shell_read_the_same_words(cron: str) -> None:
    found = after_cron(cron_line(command(*WORDS)), readers.CRONS[cron])
    assert found == ("/x", ["/opt/toe", *WORDS])


@pytest.mark.parametrize("cron", readers.CRONS)
@pytest.mark.parametrize("name", NAMES)
def test_cron_reads_the_same_folder_and_program(cron: str, name: str) -> None:
    made = command(program=f"/x/{name}", folder=f"/x/{name}")
    folder, words = after_cron(cron_line(made), readers.CRONS[cron])
    assert folder == f"/x/{name}"
    if "=" in name:  # for env, this would be a variable
        assert words[:3] == ["sh", "-c", 'exec "$0" "$@"']
        words = words[3:]
    assert words == [f"/x/{name}"]


@pytest.mark.parametrize("word", WITH_LINE_BREAKS)
def test_a_line_break_is_an_error_for_cron(word: str) -> None:
    assert is_too_much(command(word))
    with pytest.raises(HostError, match="cron does not support line breaks"):
        cron_line(command(word))


def test_a_line_comes_before_the_one_that_sets_another_shell() -> None:
    line = cron_line(command("a"))
    assert is_of(line, "id-1")
    assert not is_of(line, "1")
    assert added(["MAILTO=x", "* * * * * SHELL=/bin/zsh x"], line)[-1] == line
    for setting in ("SHELL=/usr/bin/fish", ' "SHELL" = "/bin/csh"', "\tSHELL = /bin/zsh"):
        assert added(["# a", setting, "b"], line) == ["# a", line, setting, "b"]


@pytest.mark.parametrize(
    ("saved", "listing", "part"),
    [
        (b"# h\n# h\n# h\na\rb\n", b"a\\rb\n", b"a\rb\n"),
        (b"# h\n# h\n# h\n# mine\na\bb\n", b"# mine\na\\bb\n", b"# mine\na\bb\n"),
        (b"a\\rb\n", b"a\\rb\n", b"a\\rb\n"),
        (b"a\\rb\rc", b"a\\rb\\rc", b"a\\rb\rc"),
        (b"x\na\rb\n", b"a\\rb\n", None),
        (b"a\rb\nx\n", b"a\\rb\n", None),
    ],
)
def test_a_listing_is_compared_with_the_saved_crontab(
    saved: bytes, listing: bytes, part: bytes | None
) -> None:
    assert could_be_escaped(listing)
    assert listed_part(saved, listing) == part


def after_systemd(made: StartupCommand) -> tuple[bytes, list[bytes], list[bytes]]:
    """Return the folder, the words and the variables that systemd reads."""
    found = readers.settings(unit_text(made))
    assert not found.keys() & {"ExecStartPre", "ExecStop", "ExecStartPost"}
    (start,) = found["ExecStart"]
    program, *arguments = readers.words(start)
    assert not set(program) & set(b"'\"\\")
    (folder,) = found["WorkingDirectory"]
    assert "%" not in folder.replace("%%", "")
    variables = [word for value in found.get("Environment", ()) for word in readers.words(value)]
    words = [program, *map(readers.without_variables, arguments)]
    return folder.replace("%%", "%").encode(), words, variables


@pytest.mark.parametrize("word", [*WORDS, *WITH_LINE_BREAKS])
def test_systemd_reads_the_same_word(word: str) -> None:
    folder, words, variables = after_systemd(command("-x", word, "y"))
    assert (folder, variables) == (b"/x", [b"PATH=/bin:/usr/bin"])
    assert words == [b"/opt/toe", b"-x", os.fsencode(word), b"y"]


@pytest.mark.parametrize("name", [*NAMES, *NAMES_WITH_LINE_BREAKS])
def test_systemd_reads_the_same_folder_program_and_variable_or_none(name: str) -> None:
    special = not name.isprintable()
    made = command(folder=f"/x/{name}")
    if special or name[-1] in "\\ ":
        with pytest.raises(HostError, match=r"systemd supports only .* as the folder"):
            unit_text(made)
    else:
        assert after_systemd(made)[0] == os.fsencode(made.folder)
    made = command(program=f"/x/{name}")
    if special or set(name) & set("'\"\\") or "$$" in name:
        with pytest.raises(HostError, match=r"systemd supports only .* as the path"):
            unit_text(made)
    else:
        assert after_systemd(made)[1] == [os.fsencode(made.argv[0])]
    made = command()._replace(environment={"PATH": f"/bin:/x/{name}"})
    if special:
        with pytest.raises(HostError, match=r"systemd supports only .* in a variable"):
            unit_text(made)
    else:
        assert after_systemd(made)[2] == [os.fsencode(f"PATH=/bin:/x/{name}")]


def test_a_command_that_is_too_long_for_systemd_is_an_error() -> None:
    with pytest.raises(HostError, match="too long for systemd"):
        unit_text(command("\x01" * 300_000))


@pytest.mark.parametrize("name", ["id-1", "v1.2_é", "中" * 128, "a" * 128, "a" * 300])
def test_a_unit_has_a_name_of_its_own_that_systemd_accepts(name: str, tmp_path: Path) -> None:
    found = unit_name(name)
    assert found.isascii()
    assert len(found) < 256
    assert found == unit_name(name) != unit_name(name + "x")
    if sys.platform == "win32" or shutil.which("systemctl") is None:
        return
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / found).write_bytes(unit_text(command()))
    enable = ["systemctl", f"--root={tmp_path}", "enable", found]
    done = subprocess.run(enable, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "multi-user.target.wants" / found).is_symlink()


def of_task(made: StartupCommand) -> dict[str, str]:
    """Return what the Task Scheduler and XML leave of a command."""
    root = ET.fromstring(task_text(made).encode("utf-16"))
    found = {each.tag.rpartition("}")[2]: each.text or "" for each in root.iter()}
    for text in found.values():
        for name in re.findall("%([^%]+)%", text):
            assert '"' in name, f"{name} may be a variable"
    return found


@pytest.mark.parametrize("word", [*WORDS, *WITH_LINE_BREAKS, "%PATH%", 'a "%PATH%" b\\', "%a%b%"])
def test_the_task_scheduler_reads_the_same_word(word: str) -> None:
    made = command("-x", word, "y")
    if re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", word):
        with pytest.raises(HostError, match=r"cannot have the character U\+"):
            task_text(made)
        return
    assert cut_up(f"x {of_task(made)['Arguments']}") == ["x", "-x", word, "y"]


@pytest.mark.parametrize("path", ["C:\\a%PATH%", "C:\\%a b%\\c"])
def test_a_path_with_a_variable_is_an_error_for_the_task_scheduler(path: str) -> None:
    for made in (command(folder=path), command(program=path)):
        with pytest.raises(HostError, match="would replace the variable"):
            task_text(made)
    assert of_task(command(folder="C:\\100% a"))["WorkingDirectory"] == "C:\\100% a"
