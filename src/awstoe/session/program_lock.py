"""Keeps a self-update from replacing the file of a program that is running documents.

Documents may call awstoe themselves, and on Windows the running program still reads its modules
from its file. A run waits only while an update swaps the file, which takes seconds.
"""

import time

from awstoe import limits
from awstoe.errors import AwstoeError, HostError
from awstoe.host.executable import lock
from awstoe.reporting.console import Console

_TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL of sysexits.h."""


class UpdateGoesOn(AwstoeError):
    """The program's file is being replaced."""

    exit_code = _TEMPORARY_FAILURE


def hold_program(console: Console) -> None:
    """Lock the program's own file, shared with other runs, until this process ends.

    Raises:
        UpdateGoesOn: An update does not finish in time.
    """
    end = time.monotonic() + limits.UPDATE_RUN_WAIT_SECONDS
    reported = False
    try:
        while lock.lock_shared(lock.own_executable()) is None:
            if time.monotonic() >= end:
                raise UpdateGoesOn(
                    "an update of this program has been in progress for"
                    f" {limits.UPDATE_RUN_WAIT_SECONDS:.0f} seconds",
                    hint="run the command again when the update has finished",
                )
            if not reported:
                console.line("awstoe: an update of this program is in progress: waiting for it")
                reported = True
            time.sleep(limits.UPDATE_LOCK_POLL_SECONDS)
    except HostError:
        pass  # not readable, or a file system without locks: an update reports that itself
