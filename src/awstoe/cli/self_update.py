"""``awstoe self-update``: replaces this program by a newer release, or tells of one."""

import os
import platform
import sys
from collections.abc import Sequence
from typing import Final

from awstoe import __version__
from awstoe.cli.options import Parser
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host import platforms
from awstoe.host.executable import frozen, lock
from awstoe.host.network.deadline import Timeouts
from awstoe.reporting.console import Console
from awstoe.reporting.progress import printable_lines
from awstoe.session.pending_reboots import waiting_runs
from awstoe.trust import release_trust
from awstoe.update import updater
from awstoe.update.decide import TargetMachine
from awstoe.update.errors import CannotWrite
from awstoe.update.install_record import InstallStep, Listener
from awstoe.update.installation import Installation, Origin
from awstoe.update.local_metadata import folder_for
from awstoe.update.releases import Version, glibc_version

_EXAMPLES: Final = """\
  awstoe self-update --check
  awstoe self-update
  awstoe self-update --region eu-west-1 --version 1.4.0
  awstoe self-update --rollback
  awstoe self-update --from-file awstoe-1.4.0.bundle"""

_BAR_CHARACTERS: Final = 30


def run(arguments: Sequence[str], console: Console) -> int:
    """Update this program; gives the exit code.

    Raises:
        AwstoeError: It was not updated.
    """
    return update(this_program(), arguments, console)


def update(
    program: Installation,
    arguments: Sequence[str],
    console: Console,
    *,
    timeouts: Timeouts = updater.TIMEOUTS,
    listener: Listener | None = None,
) -> int:
    """Update ``program`` as ``arguments`` say; gives the exit code.

    Args:
        program: What is to be replaced.
        arguments: The options.
        console: Where results and messages go.
        timeouts: For each request.
        listener: Told each step as well.

    Raises:
        AwstoeError: It was not updated.
    """
    options = _parser().read(arguments)
    console.quiet = bool(options.quiet)
    console.color = console.color and not options.no_color
    request = updater.UpdateRequest(
        check=bool(options.check),
        dry_run=bool(options.dry_run),
        rollback=bool(options.rollback),
        version=options.version,
        region=options.region,
        url=options.url,
        bundle=options.from_file,
        wait=bool(options.wait),
    )
    talk = UpdateProgress(console, listener)
    try:
        _check(request)
        result = updater.self_update(program, request, talk, timeouts=timeouts)
    except AwstoeError as error:
        talk.end_bar()
        told = CannotWrite(error.message, hint=error.hint) if type(error) is HostError else error
        if options.json:
            console.result(
                {
                    "outcome": "failed",
                    "error": told.message,
                    "exitCode": told.exit_code,
                    "warnings": talk.warnings,
                }
            )
        raise told from error
    talk.end_bar()
    if options.json:
        console.result({**_described(program, result), "warnings": talk.warnings})
    else:
        console.text(printable_lines(_sentence(program, result)) + "\n")
    return 0


def this_program() -> Installation:
    """The facts about the program that runs.

    Raises:
        TrustError: What it trusts cannot be read.
    """
    path = frozen.executable()
    bits = 64 if sys.maxsize > 2**32 else 32
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") if hasattr(os, "confstr") else None
    except (OSError, ValueError):
        libc = None
    trust = release_trust.read()
    return Installation(
        path=path,
        named=sys.executable,
        version=Version(__version__),
        machine=TargetMachine(
            platforms.current().value,
            platforms.architecture(platform.machine(), pointer_bits=bits),
            glibc_version(libc or ""),
        ),
        origin=Origin.SINGLE_FILE if frozen.is_frozen() else Origin.PACKAGE,
        trust=trust,
        running=_running(),
        memory=_memory(trust),
        waiting_runs=waiting_runs(),
    )


def _memory(trust: release_trust.ReleaseTrust | None) -> str | None:
    try:
        return folder_for(trust.url) if trust else None
    except HostError:
        return None


def _running() -> os.stat_result | None:
    """The file that this process runs. Opened: under an emulator only that leads to ours."""
    try:
        descriptor = os.open(lock.own_executable(), os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _parser() -> Parser:
    parser = Parser(
        "self-update",
        "Replace this program by a newer release, after its signatures have been checked.",
        _EXAMPLES,
    )
    parser.flag("--check", help="only tell whether there is a newer release")
    parser.flag("--dry-run", help="check everything, but neither download the program nor replace")
    parser.add_argument("--version", metavar="V", help="this release instead of the newest")
    parser.flag(
        "--rollback", help="go back to the release before; with --version, even to a lower one"
    )
    parser.add_argument("--region", metavar="R", help="ask this region first")
    parser.add_argument(
        "--url", metavar="TEMPLATE", help="a place of your own: https://HOST/{region}/PATH"
    )
    parser.add_argument("--from-file", metavar="BUNDLE", help="a bundle instead of the network")
    parser.flag("--wait", help="wait for runs and other updates that are going on")
    parser.flag("--json", help="print one JSON object")
    return parser


def _check(request: updater.UpdateRequest) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: They do.
    """
    places = {
        "--from-file": request.bundle,
        "--url": request.url,
        "--region": request.region,
    }
    given = [option for option, value in places.items() if value is not None]
    if request.rollback and request.version is None and given:
        raise UsageError(
            f"--rollback goes back to the file that the last update kept: {given[0]} has no part"
            " in that",
            hint="name a version as well to get one from there: --rollback --version V",
        )
    if request.bundle is not None and len(given) > 1:
        raise UsageError(f"--from-file uses no network: {given[1]} has no part in that")
    if request.check and request.dry_run:
        raise UsageError(
            "--check only tells whether there is an update, --dry-run whether it would succeed:"
            " leave one of them out"
        )
    if request.check and request.rollback:
        raise UsageError(
            "--check tells whether there is an update, which a rollback is not",
            hint="awstoe self-update --dry-run --rollback tells what it would go back to",
        )


class UpdateProgress:
    """Tells what happens on standard error; a bar of progress on a terminal only."""

    def __init__(self, console: Console, listener: Listener | None) -> None:
        self._console = console
        self._listener = listener
        self._bar = console.is_terminal() and not console.quiet
        self.warnings: list[str] = []
        self._shown = -1

    def say(self, text: str) -> None:
        """See ``updating.Talk``."""
        self.end_bar()
        self._console.line(f"awstoe: {text}")

    def warn(self, text: str) -> None:
        """See ``updating.Talk``."""
        self.warnings.append(text)
        self.say(f"warning: {text}")

    def progress(self, done: int, total: int) -> None:
        """See ``updating.Talk``."""
        percent = done * 100 // max(total, 1)
        if not self._bar or percent == self._shown:
            return
        self._shown = percent
        filled = percent * _BAR_CHARACTERS // 100
        bar = "#" * filled + "." * (_BAR_CHARACTERS - filled)
        text = f"\r  [{bar}] {percent:3}%  {done / 1e6:.1f} of {total / 1e6:.1f} MB"
        self._console.raw(text.encode())

    def end_bar(self) -> None:
        """Go to the next line if a bar stands on this one."""
        if self._shown >= 0:
            self._shown = -1
            self._console.raw(b"\n")

    def reached(self, step: InstallStep) -> None:
        """See ``updating.Talk``."""
        if step is InstallStep.DOWNLOADED:
            self.end_bar()
        if self._listener is not None:
            self._listener(step)


def _described(program: Installation, result: updater.UpdateResult) -> dict[str, object]:
    release = result.release
    chosen = release or result.kept
    return {
        "outcome": result.outcome,
        "executable": program.path,
        "target": program.machine.target,
        "before": str(result.before),
        "installed": str(result.installed),
        "release": str(chosen.version) if chosen else None,
        "sha256": chosen.sha256 if chosen else None,
        "notes": release.notes or None if release else None,
        "source": result.source or None,
        "validUntil": result.expires or None,
    }


def _sentence(program: Installation, result: updater.UpdateResult) -> str:
    release = result.release
    chosen = release or result.kept
    new = chosen.version if chosen else result.installed
    match result.outcome:
        case "current":
            text = f"awstoe {result.installed} is up to date"
        case "available":
            text = f"awstoe {new} is available; {result.installed} is installed"
        case "would-update":
            text = f"awstoe {result.installed} would be replaced by {new}; nothing was changed"
        case _:
            text = f"{program.path}: awstoe {result.before} was replaced by {result.installed}"
    withdrawn = release.withdrawn if release and result.outcome == "current" else ""
    if withdrawn:
        text += f"\nversion {new} was withdrawn: {withdrawn}"
    notes = release.notes if release else ""
    return f"{text}\nrelease notes: {notes}" if notes else text
