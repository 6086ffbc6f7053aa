"""What systems do differently with the standard streams."""

import os
import sys

if sys.platform == "win32":
    # Windows: the standard streams.
    import errno

    def make_blocking(descriptor: int) -> None:
        """Nothing to do: pipes wait for who reads."""
        del descriptor

    def is_broken_pipe(error: OSError) -> bool:
        """Whether the other end of a pipe is closed; the C library reports one case as EINVAL."""
        return isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL


else:
    # Linux: the standard streams.
    import contextlib

    def make_blocking(descriptor: int) -> None:
        """Wait for who reads, also where a caller has made the pipe non-blocking."""
        with contextlib.suppress(OSError):
            os.set_blocking(descriptor, True)

    def is_broken_pipe(error: OSError) -> bool:
        """Whether the other end of a pipe is closed."""
        return isinstance(error, BrokenPipeError)
