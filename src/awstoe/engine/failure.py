"""Describes why an attempt at a step failed, as text for the records. Pure."""

from typing import NamedTuple

from awstoe.document.model import Step
from awstoe.errors import ActionError, AwstoeError, TimeoutExceeded


class Failure(NamedTuple):
    """Why an attempt failed."""

    message: str
    exit_code: int | None = None
    stderr_tail: str = ""
    permanent: bool = False
    """Whether another attempt cannot end differently."""


def of_error(error: Exception, step: Step) -> Failure:
    """Return the failure that ``error`` means for an attempt at ``step``."""
    match error:
        case TimeoutExceeded():
            what = "the loop run" if step.loop is not None else "the step"
            unit = "second" if step.timeout_seconds == 1 else "seconds"
            message = f"{what} timed out after {step.timeout_seconds} {unit}"
            return Failure(message, None, error.stderr_tail)
        case ActionError():
            return Failure(
                message_with_hint(error),
                error.process_exit_code,
                error.stderr_tail,
                error.permanent,
            )
        case AwstoeError():
            return Failure(message_with_hint(error), permanent=error.permanent)
        case _:
            return Failure(
                f"{step.action} raised an unexpected {type(error).__name__}: {error}. This is a bug"
                " in awstoe; the details are in application.log"
            )


def counted(failure: Failure, attempt: int, step: Step) -> Failure:
    """Return ``failure`` with the number of the last attempt if several could have followed."""
    if step.max_attempts == 1 or failure.permanent:
        return failure
    message = f"attempt {attempt} of {step.max_attempts}: {failure.message}"
    return failure._replace(message=message)


def shown(message: str, step: Step) -> str:
    """Return ``message``, or for a hidden step only that it failed."""
    if not step.disable_logging or not message:
        return message
    return f"{step.action} failed (disableLogging hides why)"


def message_with_hint(error: AwstoeError) -> str:
    """Return the error's message, and what to do about it."""
    return f"{error.message} ({error.hint})" if error.hint else error.message
