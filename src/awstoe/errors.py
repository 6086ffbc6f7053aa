"""The errors a user can meet, named by who has to act on them.

``main()`` catches ``AwstoeError``: it prints the message, the hint below it, and leaves with
``exit_code``. Any other exception is a bug of ours; it is told in one line, and in full with
``--trace``. A message says what happened, where, what was expected, what was found
and what to do next.
"""


class AwstoeError(Exception):
    """The base of every error that is reported without a traceback.

    Attributes:
        message: One or more lines for a person.
        hint: What to do about it, or None.
        exit_code: What the process ends with when nothing else decides.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AwstoeError):
    """The command line or the configuration file is wrong."""

    exit_code = 2


class DocumentError(AwstoeError):
    """A document cannot be read, or what it says is wrong."""


class ActionError(AwstoeError):
    """A step failed: what the document asked for could not be done.

    Attributes:
        process_exit_code: The exit code of the program the step ran, if it ran one.
        stderr_tail: The last lines the program wrote to standard error.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        process_exit_code: int | None = None,
        stderr_tail: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.process_exit_code = process_exit_code
        self.stderr_tail = stderr_tail


class TimeoutExceeded(ActionError):
    """The attempt's time is over; the step's processes have been ended."""


class HostError(AwstoeError):
    """This machine does not let us do what is needed: permissions, disk, a missing program."""


class RecordError(HostError):
    """Logs, records or state cannot be written: the run must not go on, no step may catch it."""


class AwsError(AwstoeError):
    """AWS could not be reached or said no."""


class TrustError(AwstoeError):
    """Something is not signed as it must be. Never ignored, never retried."""


class UpdateError(AwstoeError):
    """The program could not replace itself; the old file is still in place."""


class RebootNeeded(BaseException):
    """The machine has to reboot before the run goes on.

    A ``BaseException`` for the same reason as ``Interrupted``: nothing on the way may take it for
    a failure.

    Attributes:
        delay_seconds: How long to wait before.
    """

    def __init__(self, delay_seconds: int) -> None:
        super().__init__(delay_seconds)
        self.delay_seconds = delay_seconds


class Interrupted(BaseException):
    """A signal asks the run to stop.

    A ``BaseException`` so that no ``except Exception`` of an action swallows it.

    Attributes:
        signal_number: The signal that was received.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
