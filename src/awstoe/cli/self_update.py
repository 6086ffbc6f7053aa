"""``awstoe self-update``: replaces this program with a newer release, or reports one."""

from collections.abc import Sequence
from typing import Final, assert_never

from awstoe.cli.options import Parser
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host.network.deadline import Timeouts
from awstoe.reporting.console import Console
from awstoe.reporting.progress import printable_lines
from awstoe.session.pending_reboots import waiting_runs
from awstoe.update import updater
from awstoe.update.errors import CannotWrite
from awstoe.update.install_record import InstallStep, Listener
from awstoe.update.installation import Installation, this_installation
from awstoe.update.updater import UpdateOutcome

_EXAMPLES: Final = """\
  awstoe self-update --check
  awstoe self-update
  awstoe self-update --region eu-west-1 --version 1.4.0
  awstoe self-update --rollback
  awstoe self-update --from-file awstoe-1.4.0.bundle"""

_BAR_CHARACTERS: Final = 30


def run(arguments: Sequence[str], console: Console) -> int:
    """Update this program, and return the exit code.

    Raises:
        AwstoeError: It was not updated.
    """
    return update(this_installation(waiting_runs()), arguments, console)


def update(
    program: Installation,
    arguments: Sequence[str],
    console: Console,
    *,
    timeouts: Timeouts = updater.TIMEOUTS,
    listener: Listener | None = None,
) -> int:
    """Update ``program`` as ``arguments`` say, and return the exit code.

    Args:
        program: The program to replace.
        arguments: The options.
        console: Receives results and messages.
        timeouts: For each request.
        listener: Called after each step.

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
    progress = UpdateProgress(console, listener)
    try:
        _check(request)
        result = updater.self_update(program, request, progress, timeouts=timeouts)
    except AwstoeError as error:
        progress.end_bar()
        failure = CannotWrite(error.message, hint=error.hint) if type(error) is HostError else error
        if options.json:
            console.result(
                {
                    "outcome": "failed",
                    "error": failure.message,
                    "exitCode": failure.exit_code,
                    "warnings": progress.warnings,
                }
            )
        raise failure from error
    progress.end_bar()
    if options.json:
        console.result({**_as_json(program, result), "warnings": progress.warnings})
    else:
        console.text(printable_lines(_as_text(program, result)) + "\n")
    return 0


def _parser() -> Parser:
    parser = Parser(
        "self-update",
        "Replace this program with a newer release, after checking the signatures.",
        _EXAMPLES,
    )
    parser.flag("--check", help="only report whether there is a newer release")
    parser.flag(
        "--dry-run", help="check all that needs no download of the program; replace nothing"
    )
    parser.add_argument("--version", metavar="V", help="use this release instead of the newest")
    parser.flag("--rollback", help="return to the previous release, or to --version V")
    parser.add_argument("--region", metavar="R", help="the region to try first")
    parser.add_argument(
        "--url", metavar="TEMPLATE", help="your own mirror: https://HOST/{region}/PATH"
    )
    parser.add_argument("--from-file", metavar="BUNDLE", help="use a bundle instead of the network")
    parser.flag("--wait", help="wait until other runs and updates have finished")
    parser.flag("--json", help="print one JSON object")
    return parser


def _check(request: updater.UpdateRequest) -> None:
    """Reject options that contradict each other.

    Raises:
        UsageError: They do.
    """
    sources = {
        "--from-file": request.bundle,
        "--url": request.url,
        "--region": request.region,
    }
    given = [option for option, value in sources.items() if value is not None]
    if request.rollback and request.version is None and given:
        raise UsageError(
            "--rollback without --version uses the file that the last update kept, so"
            f" {given[0]} has no effect",
            hint="to get a certain version from there, use --rollback --version V",
        )
    if request.bundle is not None and len(given) > 1:
        raise UsageError(
            f"--from-file does not use the network, so {given[1]} has no effect",
            hint=f"remove one of --from-file and {given[1]}",
        )
    if request.check and request.dry_run:
        raise UsageError(
            "--check and --dry-run cannot be combined",
            hint="--check reports whether there is an update, --dry-run whether it could start",
        )
    if request.check and request.rollback:
        raise UsageError(
            "--check and --rollback cannot be combined",
            hint="to see what a rollback would install, run:"
            " awstoe self-update --dry-run --rollback",
        )


class UpdateProgress:
    """An ``UpdateObserver`` that prints to standard error; the progress bar needs a terminal."""

    def __init__(self, console: Console, listener: Listener | None) -> None:
        self._console = console
        self._listener = listener
        self._has_bar = console.is_terminal() and not console.quiet
        self.warnings: list[str] = []
        self._percent = -1

    def message(self, text: str) -> None:
        self.end_bar()
        self._console.line(f"awstoe: {text}")

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self.message(f"warning: {text}")

    def progress(self, done: int, total: int) -> None:
        percent = done * 100 // max(total, 1)
        if not self._has_bar or percent == self._percent:
            return
        self._percent = percent
        filled = percent * _BAR_CHARACTERS // 100
        bar = "#" * filled + "." * (_BAR_CHARACTERS - filled)
        text = f"\r  [{bar}] {percent:3}%  {done / 1e6:.1f} of {total / 1e6:.1f} MB"
        self._console.raw(text.encode())

    def end_bar(self) -> None:
        """Start a new line if there is a progress bar on this one."""
        if self._percent >= 0:
            self._percent = -1
            self._console.raw(b"\n")

    def reached(self, step: InstallStep) -> None:
        if step is InstallStep.DOWNLOADED:
            self.end_bar()
        if self._listener is not None:
            self._listener(step)


def _as_json(program: Installation, result: updater.UpdateResult) -> dict[str, object]:
    release = result.release
    chosen = release or result.kept
    return {
        "outcome": result.outcome.value,
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


def _as_text(program: Installation, result: updater.UpdateResult) -> str:
    release = result.release
    chosen = release or result.kept
    new = chosen.version if chosen else result.installed
    match result.outcome:
        case UpdateOutcome.CURRENT:
            text = f"awstoe {result.installed} is up to date"
            if release and release.withdrawn:
                text += f"\nversion {new} was withdrawn: {release.withdrawn}"
        case UpdateOutcome.AVAILABLE:
            text = f"awstoe {new} is available; {result.installed} is installed"
        case UpdateOutcome.WOULD_UPDATE:
            text = f"awstoe {result.installed} would be replaced by {new}; nothing was changed"
        case UpdateOutcome.UPDATED | UpdateOutcome.ROLLED_BACK:
            text = f"{program.path}: awstoe {result.before} was replaced by {result.installed}"
        case _:
            assert_never(result.outcome)
    notes = release.notes if release else ""
    return f"{text}\nrelease notes: {notes}" if notes else text
