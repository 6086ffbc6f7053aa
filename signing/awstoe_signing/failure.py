"""The one error of the signing tools: a message that says what happened and what to do."""


class SigningFailure(Exception):
    """A key or a signature cannot be made; the text is for the person at the terminal."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
