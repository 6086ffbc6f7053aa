"""Live progress on a terminal: finished steps scroll, the running step has the last line."""

import sys
import time
from typing import IO, cast

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from awstoe.reporting.progress import Progress, printable

_SIGNS = {
    "success": ("✔", "green"),
    "skipped": ("-", "dim"),
    "ignoredFailure": ("!", "yellow"),
    "failed": ("✘", "red"),
}
_REFRESH_PER_SECOND = 8
_ECHO_COLUMNS = 4
"""Room at the end of the line, for ``^C``: the terminal shows it there, and in a full line that
would scroll the line away before it is removed."""


class _Terminal:
    """Standard error. A terminal that is closed does not stop the run."""

    def write(self, text: str) -> int:
        """Write ``text`` unless the terminal is closed."""
        try:
            return sys.stderr.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush unless the terminal is closed."""
        try:
            sys.stderr.flush()
        except OSError:
            pass

    def __getattr__(self, name: str) -> object:
        """Return the other attributes of the stream: its encoding, whether it is a terminal."""
        return getattr(sys.stderr, name)


class _Step:
    """A running step."""

    __slots__ = ("detail", "name", "started")

    def __init__(self, name: str) -> None:
        self.name = name
        self.detail = ""
        self.started = time.monotonic()


class LiveProgress(Progress):
    """Shows phase, step, elapsed time and the last line of output.

    Args:
        color: Whether colors may be used.
    """

    def __init__(self, *, color: bool) -> None:
        super().__init__()
        self._console = Console(
            file=cast("IO[str]", _Terminal()), no_color=not color, highlight=False
        )
        self._frames = Spinner("line" if self._console.encoding != "utf-8" else "dots").frames
        self._steps: list[_Step] = []
        """The running steps: a step and those of the document that it runs."""
        self._last = ""
        self._running = False
        # Last, because it calls _render at once.
        self._live = Live(
            console=self._console,
            refresh_per_second=_REFRESH_PER_SECOND,
            transient=True,
            get_renderable=self._render,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        self._running = True
        self._live.start()

    def stop(self) -> None:
        if self._running:
            self._running = False
            self._steps.clear()
            self._live.stop()

    def phase(self, document: str, phase: str) -> None:
        self._console.print(Text.assemble((printable(document), "bold"), f": phase {phase}"))

    def step(self, phase: str, step: str, action: str) -> None:
        super().step(phase, step, action)
        self._steps.append(_Step(f"{phase}/{step} ({action})"))
        self._last = ""

    def attempt(self, attempt: int, of: int) -> None:
        self._steps[-1].detail = f" attempt {attempt}/{of}" if of > 1 else ""

    def iteration(self, number: int) -> None:
        self._steps[-1].detail = f" iteration {number}"

    def step_end(self, phase: str, step: str, status: str, failure: str) -> None:
        super().step_end(phase, step, status, failure)
        sign, style = _SIGNS.get(status, ("?", ""))
        if not _can_show(sign, self._console.encoding):
            sign = "*"
        seconds = time.monotonic() - self._steps.pop().started
        line = Text.assemble(
            (f"  {sign} ", style), f"{phase}/{step}", (f"  {seconds:.1f} s", "dim")
        )
        if failure:
            line.append(f"  {printable(failure)}", style)
        self._console.print(line)

    def line(self, text: str) -> None:
        if text:  # a line end often arrives alone
            self._last = text

    def warning(self, message: str) -> None:
        self._console.print(Text.assemble(("  warning: ", "yellow"), printable(message)))

    def _render(self) -> Text:
        steps = self._steps[-1:]  # a copy: another thread renders
        if not steps:
            return Text("")
        step = steps[0]
        now = time.monotonic()
        seconds = int(now - step.started)
        # One Text that is cut: always one line, and output is never markup.
        line = Text.assemble(
            self._frames[int(now * _REFRESH_PER_SECOND) % len(self._frames)],
            f" {step.name}{step.detail} {seconds // 60}:{seconds % 60:02d} ",
            (printable(self._last.strip()), "dim"),
            no_wrap=True,
        )
        line.truncate(max(self._console.width - _ECHO_COLUMNS, 1), overflow="ellipsis")
        return line


def _can_show(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
