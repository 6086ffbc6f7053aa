"""Windows: the standard streams."""

import errno
import sys

assert sys.platform == "win32"


def make_blocking(descriptor: int) -> None:
    """Nothing to do: pipes wait for who reads."""
    del descriptor


def nobody_reads(error: OSError) -> bool:
    """Whether the other end of a pipe is closed; the C library has no word for one of two cases."""
    return isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL
