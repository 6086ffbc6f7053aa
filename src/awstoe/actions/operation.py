"""Wraps one operation of a file-system action: logs its start and end, and explains its errors.

Each error inside becomes an ``ActionError`` that names the action, what failed, the reason and what
to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from awstoe.actions.contract import ActionContext
from awstoe.errors import ActionError, PermanentError, TimeoutExceeded
from awstoe.host.files import oserrors

quoted = oserrors.quoted


@contextmanager
def operation(action: str, doing: str, ctx: ActionContext) -> Iterator[None]:
    """Log the start and end of one operation, and name it in its errors.

    Args:
        action: The action, for example ``CopyFile``.
        doing: Text that completes "cannot ...", paths included.
        ctx: The run.

    Raises:
        ActionError: The block failed.
        TimeoutExceeded: The attempt timed out.
    """
    ctx.log.info(f"{action}: STARTED EXECUTION")
    try:
        yield
    except TimeoutExceeded:
        raise
    except ActionError as error:
        kind = PermanentError if error.permanent else ActionError
        raise kind(f"{action}: cannot {doing}: {error.message}", hint=error.hint) from error
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{action}: cannot {doing}: {reason}", hint=hint) from error
    finally:
        ctx.log.info(f"{action}: FINISHED EXECUTION")
