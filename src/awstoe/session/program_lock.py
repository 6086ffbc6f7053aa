"""Keeps a self-update away from the file of a program that is running documents.

Documents may call awstoe themselves, and on Windows the running program still reads its modules
from its file. Only the swap of an update is waited for: it takes seconds.
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
    """Lock our own file, together with other runs, until this process ends.

    Raises:
        UpdateGoesOn: An update does not come to its end.
    """
    end = time.monotonic() + limits.UPDATE_RUN_WAIT_SECONDS
    told = False
    try:
        while lock.lock_shared(lock.own_executable()) is None:
            if time.monotonic() >= end:
                raise UpdateGoesOn(
                    "an update of this program has been going on for"
                    f" {limits.UPDATE_RUN_WAIT_SECONDS:.0f} seconds",
                    hint="run the command again when it has ended",
                )
            if not told:
                console.line("awstoe: an update of this program is going on: waiting for its end")
                told = True
            time.sleep(limits.UPDATE_LOCK_POLL_SECONDS)
    except HostError:
        pass  # not readable for us, or no locks on that file system: an update will say so
