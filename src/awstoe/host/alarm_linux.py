"""Linux: stops code that has been running for too long, by an alarm."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

assert sys.platform == "linux"


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Bound the time of what is done inside; in the main thread only.

    Raises:
        TimeoutError: It took longer.
    """
    previous = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _too_long(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError
