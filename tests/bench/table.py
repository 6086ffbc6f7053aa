"""The rows of the benchmark and how they are printed."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One measured promise."""

    what: str
    ours: str
    rival: str
    """What we are measured against, with its figure."""
    ratio: float
    bound: float
    at_least: bool = False
    """Whether the ratio must be at least the bound, instead of at most."""
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


def in_words(seconds: float) -> str:
    """A duration with a unit that fits."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def figure(value: float) -> str:
    """A ratio with two or three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def markdown(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The table, the machine below it, and what could not be measured."""
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
    """This machine in one sentence."""
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
