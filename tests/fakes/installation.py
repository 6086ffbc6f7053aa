"""An installed program that updates itself: real files, the real command, a shell script as awstoe.

``COMMAND FACTS OPTIONS...`` is the same command in a process of its own; see
``Installation.process``.
"""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from awstoe.cli import self_update
from awstoe.errors import AwstoeError, Interrupted
from awstoe.host.network.deadline import Timeouts
from awstoe.reporting.console import Console
from awstoe.trust import release_trust
from awstoe.update import installation, layout, updater
from awstoe.update.decide import TargetMachine
from awstoe.update.install_record import InstallStep, Listener
from awstoe.update.releases import Version

LINUX = TargetMachine("linux", "amd64", (2, 36))
COMMAND = (
    sys.executable,
    "-c",
    # securesystemslib loads boto3 where it is installed, which is most of the start-up time.
    "import sys; sys.modules['boto3'] = None; from fakes.installation import main;"
    " sys.exit(main(sys.argv[1:]))",
)


class Attempt(NamedTuple):
    """The results of a command."""

    code: int
    result: dict[str, Any]
    """The JSON object."""
    stderr: str


class Installation:
    """A program in a folder, and the facts about it.

    Args:
        folder: Receives ``bin/awstoe`` and the user's state.
        trust: The folder of release keys that are built into the program.
        program: Its bytes.
        version: The version it prints.
        machine: The machine it runs on.
    """

    def __init__(
        self,
        folder: Path,
        trust: Path,
        program: bytes,
        version: str = "1.0.0",
        machine: TargetMachine = LINUX,
    ) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.path = self.bin / layout.PROGRAMS[machine.platform]
        self.path.write_bytes(program)
        self.path.chmod(0o755)
        self.state = folder / "state"
        self.trust = trust
        self.version = version
        self.origin = installation.Origin.SINGLE_FILE
        self.machine = machine
        self.named = str(self.path)
        self.timeouts = updater.TIMEOUTS

    def facts(self) -> installation.Installation:
        """Return what the running program knows about itself."""
        path = os.path.realpath(self.named)
        return installation.Installation(
            path=path,
            named=self.named,
            version=Version(self.version),
            machine=self.machine,
            origin=self.origin,
            trust=release_trust.read(str(self.trust)),
            running=os.stat(path) if self.machine.platform == "linux" else None,
            metadata_folder=str(self.state),
        )

    def update(self, *options: str, listener: Listener | None = None) -> Attempt:
        """Run the command in this process."""
        console = _Recorder()
        code = _command(self.facts(), [*options, "--json"], console, listener, self.timeouts)
        return Attempt(code, console.value, console.stderr)

    def process(
        self, *options: str, die_at: str = "", hold_at: str = "", wait: bool = True
    ) -> "subprocess.Popen[str]":
        """Run the command in its own process.

        Args:
            options: The command's options.
            die_at: The step at which it is killed.
            hold_at: The step at which it waits for a line on its standard input.
            wait: Whether to wait until it has ended.
        """
        tests = Path(__file__).parent.parent
        process = subprocess.Popen(
            [*COMMAND, self.arguments(die_at, hold_at), *options, "--json"],
            cwd=tests,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if wait:
            process.wait()
        return process

    def arguments(self, die_at: str = "", hold_at: str = "", user: int = 0) -> str:
        """Return the first argument of ``COMMAND``."""
        facts = {
            "named": self.named,
            "version": self.version,
            "trust": str(self.trust),
            "state": str(self.state),
            "die_at": die_at,
            "hold_at": hold_at,
            "user": user,
        }
        return json.dumps(facts)

    def version_output(self) -> str:
        """Return what ``--version`` prints: proof that the program works."""
        ended = subprocess.run(
            [self.path, "--version"], capture_output=True, text=True, timeout=240, check=True
        )
        return ended.stdout.strip()

    def on_disk(self) -> dict[str, tuple[int, bytes]]:
        """Return the mode and content of every file in the program's folder."""
        return {
            str(path.relative_to(self.bin)): (
                stat.S_IMODE(path.lstat().st_mode),
                path.read_bytes() if path.is_file() else b"",
            )
            for path in sorted(self.bin.rglob("*"))
        }


def finished(process: "subprocess.Popen[str]") -> Attempt:
    """Wait for a process, and return its outcome."""
    out, err = process.communicate()
    return Attempt(process.returncode, json.loads(out or "{}"), err)


class _Recorder(Console):
    def __init__(self) -> None:
        super().__init__()
        self.value: dict[str, Any] = {}
        self.stderr = ""

    def result(self, value: Any) -> None:  # noqa: ANN401 - any JSON
        self.value = value

    def raw(self, data: bytes) -> None:
        self.stderr += data.decode()

    def is_terminal(self) -> bool:
        return False


def _command(
    program: installation.Installation,
    options: Sequence[str],
    console: Console,
    listener: Listener | None,
    timeouts: Timeouts = updater.TIMEOUTS,
) -> int:
    """Handle errors as ``cli.main`` does."""
    try:
        return self_update.update(program, options, console, timeouts=timeouts, listener=listener)
    except AwstoeError as error:
        console.error(error)
        return error.exit_code
    except Interrupted as error:
        return 128 + error.signal_number


def main(arguments: Sequence[str]) -> int:
    facts = json.loads(arguments[0])

    def listen(step: InstallStep) -> None:
        if step == facts["die_at"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == facts["hold_at"]:
            sys.stderr.write(f"holding at {step}\n")
            sys.stderr.flush()
            sys.stdin.readline()

    path = os.path.realpath(facts["named"])
    program = installation.Installation(
        path=path,
        named=facts["named"],
        version=Version(facts["version"]),
        machine=LINUX,
        origin=installation.Origin.SINGLE_FILE,
        trust=release_trust.read(facts["trust"]),
        running=os.stat(path),
        metadata_folder=facts["state"],
    )
    if facts["user"]:
        # Load all modules now: later, that user may not be allowed to read them.
        warm = program._replace(metadata_folder=facts["state"] + "-of-root")
        _command(warm, ["--check", "--json"], _Recorder(), None)
        os.setgroups([])
        os.setgid(facts["user"])
        os.setuid(facts["user"])
    return _command(program, arguments[1:], Console(), listen)
