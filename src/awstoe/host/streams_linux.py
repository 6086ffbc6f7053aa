"""Linux: the standard streams."""

import contextlib
import os
import sys

assert sys.platform == "linux"


def make_blocking(descriptor: int) -> None:
    """Wait for who reads, also where a caller has made the pipe non-blocking."""
    with contextlib.suppress(OSError):
        os.set_blocking(descriptor, True)


def nobody_reads(error: OSError) -> bool:
    """Whether the other end of a pipe is closed."""
    return isinstance(error, BrokenPipeError)
