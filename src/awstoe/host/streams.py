"""The standard streams, where Linux and Windows differ."""

import contextlib
import errno
import os
import sys

if sys.platform == "win32":

    def make_blocking(descriptor: int) -> None:
        """Do nothing: a write to a pipe always waits for the reader."""
        del descriptor

    def is_broken_pipe(error: OSError) -> bool:
        """Whether the other end of a pipe is closed.

        The C library reports one of the two cases as EINVAL.
        """
        return isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL


else:

    def make_blocking(descriptor: int) -> None:
        """Make writes wait for the reader, even if the caller made the pipe non-blocking."""
        with contextlib.suppress(OSError):
            os.set_blocking(descriptor, True)

    def is_broken_pipe(error: OSError) -> bool:
        """Whether the other end of a pipe is closed."""
        return isinstance(error, BrokenPipeError)
