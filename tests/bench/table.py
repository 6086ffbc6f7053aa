"""Formats the results of the benchmark as a Markdown table."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """A promise about performance, and the measured result."""

    what: str
    ours: str
    rival: str
    """What awstoe is compared with, and its result."""
    ratio: float
    bound: float
    at_least: bool = False
    """Whether the bound is a minimum. Otherwise, it is a maximum."""
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


def as_text(seconds: float) -> str:
    """Return a duration in milliseconds or seconds."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def figure(value: float) -> str:
    """Return a ratio with a suitable number of digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def markdown(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """Return the table, followed by the machine and the notes about what was not measured."""
    lines = [
        "| what | awstoe | measured against | ratio | promised | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        bound = f"{'>=' if row.at_least else '<='} {figure(row.bound)}{row.unit}"
        verdict = "met" if row.met else "**not met**"
        lines.append(
            f"| {row.what} | {row.ours} | {row.rival} | {figure(row.ratio)}{row.unit} "
            f"| {bound} | {verdict} |"
        )
    return "\n".join([*lines, "", machine(), *(f"\n{note}" for note in notes), ""])


def machine() -> str:
    """Describe this machine in one sentence."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return (
        f"Machine: {cpu}, {os.cpu_count()} cores; {system}, Linux {platform.release()}; "
        f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} at the end."
    )
