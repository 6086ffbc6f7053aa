"""The errors that users can see, by who has to act on them.

``main()`` catches ``AwstoeError``: it prints the message and the hint, and exits with
``exit_code``. Any other exception is a bug in awstoe; it is printed in one line, and in full with
``--trace``. docs/style.md describes how a message is built.
"""


class AwstoeError(Exception):
    """The base of every error that is reported without a traceback.

    Attributes:
        message: One or more lines for a user.
        hint: What to do about it, or None.
        exit_code: The exit code of the process if nothing else sets it.
        permanent: Whether another attempt cannot end differently.
    """

    exit_code = 1
    permanent = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AwstoeError):
    """The command line or the configuration file is wrong."""

    exit_code = 2


class DocumentError(AwstoeError):
    """A document cannot be read, or is not valid."""


class ActionError(AwstoeError):
    """A step failed.

    Attributes:
        process_exit_code: The exit code of the program that the step ran, if any.
        stderr_tail: The last lines the program wrote to standard error.
        stdout_tail: The last lines the program wrote to standard output.
        stdout_first: Whether standard output says more about the failure.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        process_exit_code: int | None = None,
        stderr_tail: str = "",
        stdout_tail: str = "",
        stdout_first: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.process_exit_code = process_exit_code
        self.stderr_tail = stderr_tail
        self.stdout_tail = stdout_tail
        self.stdout_first = stdout_first


class PermanentError(ActionError):
    """A step failed for a reason that another attempt cannot change, such as its inputs."""

    permanent = True


class TimeoutExceeded(ActionError):
    """The attempt timed out; the step's processes have been ended."""


class HostError(AwstoeError):
    """The machine does not allow what is needed: permissions, disk, a missing program."""


class RecordError(HostError):
    """Logs, records or state cannot be written. The run must stop, so no step may catch it."""


class AwsError(AwstoeError):
    """AWS could not be reached, or returned an error."""


class TrustError(AwstoeError):
    """A signature is missing or not trusted. Never ignored, never retried."""


class UpdateError(AwstoeError):
    """The program could not replace itself; the old file is unchanged."""


class RebootNeeded(BaseException):
    """The machine has to reboot before the run can continue.

    A ``BaseException`` like ``Interrupted``, so that nothing on the way treats it as a failure.

    Attributes:
        delay_seconds: How long to wait before the reboot.
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
