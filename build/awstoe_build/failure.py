"""The one error of the build: a message that says what happened and what to do about it."""


class BuildFailure(Exception):
    """The build cannot go on; the text is for the person at the terminal."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
