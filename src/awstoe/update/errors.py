"""Why a self-update did not happen, each kind with an exit code of its own (docs/updating.md)."""

from collections.abc import Sequence
from typing import Final

from awstoe.errors import AwstoeError, HostError, TrustError, UpdateError

BUSY: Final = 75
"""EX_TEMPFAIL of sysexits.h: the same command may work later."""


class Refused(UpdateError):
    """This copy of the program does not update itself: something else does, or nothing can."""

    exit_code = 3


class Unreachable(UpdateError):
    """No region could be reached, or none answered as it must."""

    exit_code = 4


class Untrusted(TrustError):
    """Metadata or a file is not signed as it must be, or is too old. Nothing was changed."""

    exit_code = 5


class CannotWrite(HostError):
    """This machine does not let us: folder, disk, permissions. Nothing was changed."""

    exit_code = 6


class NotAvailable(UpdateError):
    """The version asked for is not there, withdrawn, lower, or not for this machine."""

    exit_code = 7


class DoesNotStart(UpdateError):
    """The new program failed its check before it was put in place. Nothing was changed."""

    exit_code = 8


class RolledBack(UpdateError):
    """The new program failed its check in place; the old one is back."""

    exit_code = 9


class Busy(UpdateError):
    """A run or another update is going on."""

    exit_code = BUSY


def combined(failures: Sequence[AwstoeError]) -> AwstoeError:
    """The failures of all regions as one: first what may be an attack, not a broken line."""
    error = next((each for each in failures if isinstance(each, Untrusted)), failures[0])
    others = [each.message for each in failures if each is not error]
    error.message += "".join(f"\n  also tried: {words}" for words in others)
    return error
