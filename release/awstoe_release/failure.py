"""What a release step can end with besides success: a failure for a person, or a skip."""

import contextlib
from collections.abc import Iterator

from awstoe.errors import AwstoeError
from awstoe_build.failure import BuildFailure
from awstoe_signing.failure import SigningFailure


class ReleaseFailure(Exception):
    """The release cannot go on; the text is for the person at the terminal."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RegionFailure(ReleaseFailure):
    """One region does not do what is asked; the others are not touched by that.

    Attributes:
        region: Its name.
    """

    def __init__(self, region: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.region = region


class Skip(Exception):
    """A step has nothing to do; the text says why."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn the errors of the parts that a release is made with into its own.

    Raises:
        ReleaseFailure: In place of theirs, with the same words.
    """
    try:
        yield
    except (AwstoeError, BuildFailure, SigningFailure) as error:
        raise ReleaseFailure(error.message, hint=error.hint or "") from error
