"""Assert: fail the step when a condition is false.

- The inputs are one condition, as the `if` of a step: one comparison or logical operator with its
  companion (`value` or `path`); `and`, `or` and `not` may be nested four deep.
- `then` and `else` have no place here: a condition that is false fails the step, and the message
  says which comparison decided, with its values. `onFailure` says what follows.
- A single condition may be written as a list of one entry.
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
    """What Assert is given."""

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
            hint="correct what it looks at, or use `if` to leave out steps instead of failing",
        )
