"""One attempt at a step: its deadline, and what it has produced so far."""

import time

from awstoe.errors import TimeoutExceeded


class Attempt:
    """The state of one attempt.

    Args:
        number: Counts from 1.
        timeout_seconds: The time limit of the attempt; negative for none.
    """

    __slots__ = ("capped", "deadline", "iteration", "number", "printed", "value")

    def __init__(self, number: int, timeout_seconds: int) -> None:
        self.number = number
        self.deadline = None if timeout_seconds < 0 else time.monotonic() + timeout_seconds
        """When the attempt times out, by ``time.monotonic``; None without a limit."""
        self.iteration: int | None = None
        """The current iteration; None before the first one and without a loop."""
        self.value = ""
        """The value of the current iteration."""
        self.capped = False
        """Whether an output value was cut at its limit."""
        self.printed: str | None = None
        """What the last program printed, even if it failed."""

    def check_time(self) -> None:
        """Check that there is time left.

        Raises:
            TimeoutExceeded: The deadline has passed.
        """
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise TimeoutExceeded("the time limit has been reached")
