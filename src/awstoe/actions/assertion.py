"""Assert: fail the step when a condition is false.

- The inputs are one condition, as in the `if` of a step: one comparison or logical operator with
  its companion (`value` or `path`). `and`, `or` and `not` can be nested four levels deep.
- `then` and `else` are not allowed: a false condition fails the step, and the message shows the
  comparison that decided, with its values. `onFailure` sets what happens then.
- A single condition can be written as a list with one entry.
"""

from typing import NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.errors import ActionError
from awstoe.expressions.conditions import Condition

EXAMPLE = """\
and:
  - fileExists: /etc/app/app.conf
  - not:
      stringIsEmpty: '{{ build.ReadVersion.outputs[0].content }}'
"""


class Inputs(NamedTuple):
    """The inputs of Assert."""

    condition: Condition


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Evaluate the condition.

    Raises:
        ActionError: It is false.
    """
    ctx.log.info("Assert: STARTED EXECUTION")
    verdict = ctx.holds(inputs.condition)
    word = "true" if verdict.value else "false"
    ctx.log.info(f"Assert: The condition is {word}: {verdict.explanation}")
    ctx.log.info("Assert: FINISHED EXECUTION")
    if not verdict.value:
        raise ActionError(
            f"Assert: the condition is false: {verdict.explanation}",
            hint="fix what it checks, or use 'if' to skip steps instead of failing",
        )
