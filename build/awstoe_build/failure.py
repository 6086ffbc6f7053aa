"""The error of the build: a message that says what happened, and a hint that says what to do."""

from awstoe.errors import AwstoeError


class BuildFailure(AwstoeError):
    """The build cannot continue."""

    hint: str
    """What to do about it; empty if there is nothing to say."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
