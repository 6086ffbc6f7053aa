"""The faults that the rehearsal's S3 server can simulate, as data."""

import random
import re
import threading
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a fault does to a request."""

    ERROR = "error"
    """The response is an error with ``status`` and ``code``."""
    RESET = "reset"
    """The connection is reset in the middle of the body of the request or the response."""
    DOWN = "down"
    """The connection is reset at once."""
    CHECKSUM = "checksum"
    """The request succeeds, but the response has a wrong checksum."""
    SLOW = "slow"
    """The request takes ``seconds`` longer."""
    CLOCK = "clock"
    """The server's clock is ``seconds`` ahead."""


class Fault(NamedTuple):
    """One fault and the requests that it applies to."""

    kind: Kind
    bucket: str = ""
    """A regular expression for the whole bucket name; empty: every bucket."""
    key: str = ""
    """A regular expression to search in the key; empty: every request, also without a key."""
    method: str = ""
    """An HTTP method; empty: every method."""
    after: int = 0
    """The number of matching requests that succeed first."""
    times: int | None = None
    """The number of requests that it applies to; None: all."""
    probability: float = 1.0
    status: int = 500
    code: str = "InternalError"
    seconds: float = 0.0


class Faults:
    """The active faults, shared by all threads of the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, list[int]]] = []
        self._chance = random.Random(0)  # noqa: S311 - repeatable on purpose

    def replace(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Replace the active faults.

        Raises:
            ValueError: There is no such kind.
            TypeError: There is no such field.
        """
        made = [Fault(**{**rule, "kind": Kind(rule["kind"])}) for rule in rules]
        with self._lock:
            self._rules = [(rule, [0, 0]) for rule in made]
            self._chance = random.Random(0)  # noqa: S311

    def met_by(self, method: str, bucket: str, key: str) -> list[Fault]:
        """Return the faults that apply to a request, and count the request."""
        met = []
        with self._lock:
            for rule, counts in self._rules:
                if (
                    (rule.method and rule.method != method)
                    or (rule.bucket and not re.fullmatch(rule.bucket, bucket))
                    or (rule.key and not re.search(rule.key, key))
                ):
                    continue
                counts[0] += 1
                if counts[0] <= rule.after or (rule.times is not None and counts[1] >= rule.times):
                    continue
                if self._chance.random() < rule.probability:
                    counts[1] += 1
                    met.append(rule)
        return met
