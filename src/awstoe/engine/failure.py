"""Describes why an attempt at a step failed, as text for the records. Pure."""

from typing import NamedTuple

from awstoe import limits
from awstoe.document.model import Step
from awstoe.errors import ActionError, AwstoeError, TimeoutExceeded
from awstoe.expressions.values import quoted


class Failure(NamedTuple):
    """Why an attempt failed."""

    message: str
    exit_code: int | None = None
    stderr_tail: str = ""
    stdout_tail: str = ""
    stdout_first: bool = False
    """Whether standard output says more about the failure than standard error."""
    iteration: str = ""
    """The iteration that failed, as text; empty without a loop."""
    permanent: bool = False
    """Whether another attempt cannot end differently."""


def of_error(error: Exception, step: Step) -> Failure:
    """Return the failure that ``error`` means for an attempt at ``step``."""
    match error:
        case TimeoutExceeded():
            what = "the loop run" if step.loop is not None else "the step"
            unit = "second" if step.timeout_seconds == 1 else "seconds"
            message = f"{what} timed out after {step.timeout_seconds} {unit}"
            return _of_program(message, None, error)
        case ActionError():
            return _of_program(message_with_hint(error), error.process_exit_code, error)
        case AwstoeError():
            return Failure(message_with_hint(error), permanent=error.permanent)
        case _:
            return Failure(
                f"{step.action} raised an unexpected {type(error).__name__}: {error}. This is a bug"
                " in awstoe; the details are in application.log"
            )


def _of_program(message: str, exit_code: int | None, error: ActionError) -> Failure:
    return Failure(
        message,
        exit_code,
        error.stderr_tail,
        error.stdout_tail,
        error.stdout_first,
        permanent=error.permanent,
    )


def in_iteration(failure: Failure, index: int, value: str) -> Failure:
    """Return ``failure`` with the iteration it happened in."""
    iteration = f"iteration {index} ({quoted(value, limits.QUOTED_VALUE_CHARACTERS)})"
    return failure._replace(message=f"{iteration}: {failure.message}", iteration=iteration)


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
