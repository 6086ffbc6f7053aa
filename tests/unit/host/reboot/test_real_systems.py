"""Real programs read the startup commands: systemd in a container, and the machine's cron.

Both run in namespaces of their own, with empty folders in place of the machine's.
"""

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host.reboot.crontab_entry import cron_line
from awstoe.host.reboot.startup_command import StartupCommand
from awstoe.host.reboot.systemd_unit import unit_text
from cli.running import PATIENCE_SECONDS
from fakes import startup_readers as readers

from .words import NAMES, NAMES_WITH_LINE_BREAKS, WITH_LINE_BREAKS, WORDS

if sys.platform == "win32":
    pytest.skip("cron and systemd are for Linux", allow_module_level=True)
if os.geteuid() != 0:
    pytest.skip("only root can make namespaces", allow_module_level=True)

PATH = "/usr/bin:/bin"
PROBE = """\
#!/bin/sh
{ printf '%s\\0' "$PWD" "$PATH" "$@"; } > "$1.part" && mv "$1.part" "$1"
"""


class Sent:
    """Commands that write what they receive into files of a folder.

    Args:
        folder: On this machine.
        seen: The path that the commands see it at.
    """

    def __init__(self, folder: Path, seen: str) -> None:
        self.folder, self.seen = folder, seen
        self.commands: dict[str, StartupCommand] = {}
        folder.mkdir()
        folder.chmod(0o755)

    def add(
        self, *words: str, folder: str = "", program: str = "probe", path: str = PATH
    ) -> StartupCommand:
        (self.folder / folder).mkdir(exist_ok=True, parents=True)
        source = self.folder / program
        source.parent.mkdir(exist_ok=True, parents=True)
        if not source.exists():
            source.write_text(PROBE)
            source.chmod(0o755)
        number = f"result{len(self.commands)}"
        made = StartupCommand(
            number,
            (f"{self.seen}/{program}", f"{self.seen}/{number}", *words),
            os.path.join(self.seen, folder).rstrip("/"),
            {"PATH": path},
        )
        self.commands[number] = made
        return made

    def add_names(self, names: list[str]) -> None:
        for name in names:
            self.add(folder=f"d{name}")
            self.add(program=f"p{name}")
            self.add(path=f"{PATH}:/{name}")

    def arrived(self) -> None:
        """Check that every command received all that it was sent."""
        lost = []
        for number, made in self.commands.items():
            result = self.folder / number
            found = result.read_bytes().split(b"\0")[:-1] if result.exists() else None
            wanted = [made.folder, made.environment["PATH"], *made.argv[1:]]
            if found != list(map(os.fsencode, wanted)):
                lost.append((wanted, found))
        assert lost == []


def run(command: list[str]) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def container(folder: Path, units: Path) -> "subprocess.CompletedProcess[bytes]":
    """Boot systemd with ``units`` and nothing else of this machine's configuration."""
    return run(
        [
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network"),
            *("--directory=/", "--volatile=yes", f"--machine=awstoe{os.getpid()}"),
            *("--resolv-conf=off", "--timezone=off", "--console=pipe"),
            *(f"--bind={folder}:/sent", f"--bind-ro={units}:/etc/systemd/system"),
            *("/usr/lib/systemd/systemd", "--unit=end.service"),
        ]
    )


END = """\
[Unit]
DefaultDependencies=no
Wants={units}
After={units}
[Service]
Type=oneshot
ExecStart=/bin/sh -c "touch /sent/booted; kill -s RTMIN+4 1"
"""


def test_systemd_passes_every_byte(tmp_path: Path) -> None:
    needs("systemd-nspawn")
    if not os.path.exists("/usr/lib/systemd/systemd"):
        pytest.skip("systemd is not installed")
    units = tmp_path / "units"
    units.mkdir()
    (units / "end.service").write_text(END.format(units=""))
    sent = Sent(tmp_path / "sent", "/sent")
    ended = container(sent.folder, units)
    if not (sent.folder / "booted").exists():
        pytest.skip(f"this machine has no containers: {ended.stderr.decode(errors='replace')}")
    sent.add(*WORDS, *WITH_LINE_BREAKS)
    sent.add_names([*NAMES, *NAMES_WITH_LINE_BREAKS])
    for number, made in dict(sent.commands).items():
        try:
            (units / f"{number}.service").write_bytes(unit_text(made))
        except HostError:
            del sent.commands[number]  # rejected before the reboot
    names = [f"{number}.service" for number in sent.commands]
    (units / "end.service").write_text(END.format(units=" ".join(names)))
    container(sent.folder, units)
    sent.arrived()


EMPTY_SPOOL = """\
set -e
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron
mkdir -p /var/spool/cron/crontabs
chmod 1730 /var/spool/cron/crontabs
! getent group crontab > /dev/null || chgrp crontab /var/spool/cron/crontabs
"""
CRON = """\
crontab {table}
{daemon} &
cd {folder}
set --
until [ $# -ge {results} ]; do sleep 0.05; set -- result*[0-9]; done
"""


def cron_program() -> tuple[list[str], readers.Reader]:
    """Return the command that runs the machine's cron, and its model."""
    if path := shutil.which("crond"):
        version = run([path, "-V"])
        if b"cronie" in version.stdout + version.stderr:
            return [path, "-n"], readers.cronie
    if path := shutil.which("cron"):
        return [path, "-f"], readers.debian
    pytest.skip("neither Debian's cron nor cronie is installed")


def in_cron(table: Path, folder: Path, results: int) -> None:
    """Run cron with a crontab until there are so many results in ``folder``."""
    daemon, _ = cron_program()
    script = CRON.format(
        table=shlex.quote(str(table)), daemon=shlex.join(daemon), folder=folder, results=results
    )
    with_empty_spool(script)


def with_empty_spool(script: str) -> None:
    """Run a script as root with no crontab."""
    needs("crontab", "unshare")
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if run([*unshare, "true"]).returncode != 0:
        pytest.skip("this machine does not allow namespaces")
    ended = run([*unshare, "sh", "-c", EMPTY_SPOOL + script])
    assert ended.returncode == 0, ended.stderr.decode(errors="backslashreplace")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: Debian's cron has a limit for the length of a command."""
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def test_cron_passes_every_byte(short: Path) -> None:
    sent = Sent(short / "s", str(short / "s"))
    for start in range(0, len(WORDS), 20):
        sent.add(*WORDS[start : start + 20])
    sent.add_names(NAMES)
    lines = [os.fsencode(cron_line(made)) for made in sent.commands.values()]
    (short / "table").write_bytes(b"".join(line + b"\n" for line in lines))
    in_cron(short / "table", sent.folder, len(lines))
    sent.arrived()


def test_the_model_of_cron_reads_what_cron_reads(short: Path) -> None:
    _, model = cron_program()
    expected = {}
    lines = []
    for number, letters in enumerate(itertools.product("\\%a", repeat=4)):
        text = "".join(letters)
        line = f"@reboot printf '\\%s' '{text}' > {short}/part{number};".encode()
        shell = run(["sh", "-c", os.fsdecode(model(line))])
        if shell.returncode == 0:  # nothing was cut off
            expected[number] = (short / f"part{number}").read_bytes()
            move = f" mv {short}/part{number} {short}/result{number}\n"
            lines.append(line + move.encode())
    assert len(lines) > 20
    (short / "table").write_bytes(b"".join(lines))
    in_cron(short / "table", short, len(lines))
    assert {number: (short / f"result{number}").read_bytes() for number in expected} == expected


INSTALL = """\
import sys
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import linux
from awstoe.host.reboot.startup_command import StartupCommand, SystemCommands
linux._exists = lambda name: name == "crontab"
programs = SystemCommands(Interruption())
for name in ("one", "two"):
    linux.install(StartupCommand(name, ("toe", "a\\rb", name), "/", {}), programs)
linux.remove("two", programs)
"""


def test_no_byte_of_the_crontab_changes(short: Path) -> None:
    """Debian's ``crontab -l`` prints carriage returns as ``\\r``."""
    before = b"# mine\n0 5 * * * echo a\r\n0 6 * * * echo '\\r\b'\n"
    (short / "before").write_bytes(before)
    with_empty_spool(
        f"crontab {short}/before\n"
        f"{shlex.quote(sys.executable)} -c {shlex.quote(INSTALL)}\n"
        f"cat $(find /var/spool/cron -name root -type f) > {short}/after\n"
    )
    after = (short / "after").read_bytes()
    command = StartupCommand("one", ("toe", "a\rb", "one"), "/", {})
    assert after.endswith(before + cron_line(command).encode() + b"\n")
    assert b"two" not in after
