"""Why an update failed: each kind has its own exit code (docs/updating.md)."""

from collections.abc import Sequence
from typing import Final

from awstoe.errors import AwstoeError, HostError, TrustError, UpdateError

BUSY: Final = 75
"""EX_TEMPFAIL of sysexits.h: the same command may work later."""


class Refused(UpdateError):
    """This copy of the program cannot update itself, or must not."""

    exit_code = 3


class Unreachable(UpdateError):
    """No region could be reached, or none returned a valid response."""

    exit_code = 4


class Untrusted(TrustError):
    """Metadata or a file is not correctly signed, or is too old. Nothing was changed."""

    exit_code = 5


class CannotWrite(HostError):
    """A folder, the disk or permissions on this machine do not allow it. Nothing was changed."""

    exit_code = 6


class NotAvailable(UpdateError):
    """The requested version is missing, withdrawn, lower, or not for this machine."""

    exit_code = 7


class DoesNotStart(UpdateError):
    """The new program failed its smoke test before the swap. Nothing was changed."""

    exit_code = 8


class RolledBack(UpdateError):
    """The new program failed after the swap; the old one is back."""

    exit_code = 9


class Busy(UpdateError):
    """A run or another update is in progress."""

    exit_code = BUSY


def combined(failures: Sequence[AwstoeError]) -> AwstoeError:
    """Combine the failures of all regions. What may be an attack comes before a broken line."""
    error = next((each for each in failures if isinstance(each, Untrusted)), failures[0])
    others = [each.message for each in failures if each is not error]
    error.message += "".join(f"\n  also tried: {message}" for message in others)
    return error
