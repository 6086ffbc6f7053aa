"""What the machine runs, the moments at which its power is cut, and what must be there after."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from powercut.machine import END, Running

SHORT_STEPS = 6
LONG_SECONDS = 12

_STEP = """\
      - name: {name}
        action: ExecuteBash
        inputs:
          commands:
            - {command}
"""
_MARK = "echo 'MARK {}' > /dev/ttyS0"
DOCUMENT = "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n" + "".join(
    [
        *(
            _STEP.format(
                name=f"Short{number}", command=f"{_MARK.format(f'short-{number}')}; sleep .5"
            )
            for number in range(1, SHORT_STEPS + 1)
        ),
        _STEP.format(
            name="Long",
            command='for i in $(seq "${SECONDS_OF_LONG}"); do echo "MARK long-$i" > /dev/ttyS0;'
            " sleep 1; done",
        ),
        _STEP.format(name="After", command=_MARK.format("after")),
    ]
)
INIT = f"""\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp TERM=dumb
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
for module in /modules/*; do insmod $module; done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /data
mode=$(sed 's/.*powercut=//' /proc/cmdline)
options="-d /document.yml -l /data/logs -s /data/state"
export SECONDS_OF_LONG={LONG_SECONDS}
if [ $mode = resume ]; then
    export SECONDS_OF_LONG=1
    options="$options --resume"
    wc -c /data/state/*
fi
echo MARK start
/awstoe run $options
echo "{END} $?"
sync
poweroff -f
"""


_ORDER: Sequence[str] = (
    *(f"short-{number}" for number in range(1, SHORT_STEPS + 1)),
    "long",
    "after",
)


class Cut(NamedTuple):
    """A moment."""

    mark: str
    """The line of the machine at which its power is cut."""
    may_be_lost: bool
    """Whether it is too early, or too late, for a run that must be resumed."""
    kept: int
    """How many of the short steps must not run again: they ended seconds before."""


CUTS = (
    Cut("MARK start", may_be_lost=True, kept=0),
    Cut("phase build", may_be_lost=True, kept=0),
    Cut("MARK short-1", may_be_lost=False, kept=0),
    Cut("MARK short-2", may_be_lost=False, kept=0),
    Cut("MARK short-4", may_be_lost=False, kept=0),
    Cut("MARK long-1", may_be_lost=False, kept=0),
    Cut("MARK long-4", may_be_lost=False, kept=SHORT_STEPS),
    Cut("MARK long-9", may_be_lost=False, kept=SHORT_STEPS),
    Cut("MARK after", may_be_lost=False, kept=SHORT_STEPS),
    Cut(END, may_be_lost=True, kept=0),
)


def run_until(machine: Running, mark: str) -> None:
    """Let the machine run until it prints a line with ``mark``, then cut its power.

    Raises:
        AssertionError: It never prints that.
    """
    try:
        found = any(mark in line for line in machine.lines())
    finally:
        machine.cut_power()
    assert found, "\n".join(["the machine was off before the cut", *machine.printed])


def problems(cut: Cut, machine: Running) -> Iterator[str]:
    """Let the machine resume the run. Return what is wrong."""
    try:
        for _ in machine.lines():
            pass
    finally:
        machine.cut_power()
    text = "\n".join(machine.printed)
    ended = re.search(rf"{END} (\d+)", text)
    if ended is None:
        yield "the machine did not get to the end"
        return
    if "damaged" in text:
        yield "the state is damaged"
    ran = re.findall(r"MARK (short-\d+|long|after)", text)
    if "there is no unfinished run" in text:
        if not cut.may_be_lost:
            yield "the run is lost"
        return
    if ended[1] != "0" or '"status": "success"' not in text:
        yield f"the resumed run ended with exit code {ended[1]}"
    again = [f"short-{number}" for number in range(1, cut.kept + 1) if f"short-{number}" in ran]
    if again:
        yield f"steps that ended seconds before the cut ran again: {', '.join(again)}"
    expected = list(_ORDER[_ORDER.index(ran[0]) :]) if ran else []
    if ran != expected:
        yield f"the resumed run ran {ran}"
