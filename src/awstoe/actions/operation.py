"""The frame of one operation of a file-system action: its log lines and its errors.

Whatever the system refuses inside becomes an ``ActionError`` that names the action, what it was
doing, the reason and what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from awstoe.actions.contract import ActionContext
from awstoe.errors import ActionError, TimeoutExceeded
from awstoe.host.files import oserrors

quoted = oserrors.quoted


@contextmanager
def operation(action: str, doing: str, ctx: ActionContext) -> Iterator[None]:
    """Log start and end of one operation, and name it in its errors.

    Args:
        action: The action, for example ``CopyFile``.
        doing: What completes "cannot ...", paths included.
        ctx: The run.

    Raises:
        ActionError: What was done inside failed.
        TimeoutExceeded: The attempt's time is over.
    """
    ctx.log.info(f"{action}: STARTED EXECUTION")
    try:
        yield
    except TimeoutExceeded:
        raise
    except ActionError as error:
        raise ActionError(f"{action}: cannot {doing}: {error.message}", hint=error.hint) from error
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{action}: cannot {doing}: {reason}", hint=hint) from error
    finally:
        ctx.log.info(f"{action}: FINISHED EXECUTION")
