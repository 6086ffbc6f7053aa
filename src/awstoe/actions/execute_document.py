"""ExecuteDocument: run another document inside this step.

- `document` is a local path, an `s3://` URI or the ARN of an Image Builder component. A relative
  path is relative to the working directory, not to the document's folder.
- Documents can be nested three levels below the top one. A document that runs itself, or a document
  above it, is a cycle and fails the step.
- The nested document is validated when the step runs. Its phases run in the order of its file: all
  of them, or those in `phases`.
- `parameters` set the nested document's parameters; unknown ones are ignored with a warning.
- The step has no timeout and no retries: a `timeoutSeconds` other than -1 or a `maxAttempts` other
  than 1 is an error.
- The step fails if the nested run fails. Its full record goes into the step's `detailedOutput`.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext, NestedRun
from awstoe.actions.fields import (
    ACCOUNT_ID,
    DocumentLocation,
    NameValue,
    ParameterList,
    Pattern,
    Text,
)
from awstoe.errors import PermanentError
from awstoe.expressions.values import Value

EXAMPLE = """\
document: s3://amzn-s3-demo-bucket/components/harden.yml
document-s3-bucket-owner: '111122223333'
phases: build,validate
parameters:
  - name: Level
    value: strict
"""


class Inputs(NamedTuple):
    """The inputs of ExecuteDocument."""

    document: Annotated[
        str, DocumentLocation("The document: a path, an s3:// URI or a component ARN.")
    ]
    bucket_owner: Annotated[
        str | None,
        Pattern(
            "The account that has to own the S3 bucket.",
            ACCOUNT_ID,
            "an AWS account ID with 12 digits",
            name="document-s3-bucket-owner",
        ),
    ] = None
    phases: Annotated[str, Text("The phases to run, separated by commas; default: all.")] = ""
    parameters: Annotated[
        tuple[NameValue, ...], ParameterList("Values for the document's parameters.")
    ] = ()


class Outputs(NamedTuple):
    """The summary of the nested run."""

    executedStepCount: Annotated[int, "How many steps ran."]  # noqa: N815 - the name of the output
    executionId: Annotated[str, "The execution ID of the nested run."]  # noqa: N815
    failedStepCount: Annotated[int, "How many steps failed."]  # noqa: N815
    failureMessage: Annotated[str, "Why it failed; empty if it did not."]  # noqa: N815
    ignoredFailedStepCount: Annotated[int, "How many failures were ignored."]  # noqa: N815
    logUrl: Annotated[str, "Where its logs are, if it has its own."]  # noqa: N815
    status: Annotated[str, "How it ended: success or failed."]


def conflict(given: Mapping[str, Value]) -> str | None:
    """Check that no parameter is set twice."""
    parameters = given.get("parameters")
    if not isinstance(parameters, list):
        return None
    seen = set()
    for entry in parameters:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and "{{" not in name:
            if name in seen:
                return f"the parameter {name!r} is given twice"
            seen.add(name)
    return None


def run(inputs: Inputs, ctx: ActionContext) -> Mapping[str, Value]:
    """Run one document.

    Raises:
        ActionError: It failed, cannot be read, or is a cycle.
    """
    if not inputs.document:
        raise PermanentError(
            "ExecuteDocument: expected a document, got an empty string",
            hint="use a path, an s3:// URI or a component ARN",
        )
    phases = tuple(name for part in inputs.phases.split(",") if (name := part.strip()))
    parameters = {entry.name: entry.value for entry in inputs.parameters}
    ctx.log.info("ExecuteDocument: STARTED EXECUTION")
    try:
        return ctx.run_document(NestedRun(inputs.document, phases, parameters))
    finally:
        ctx.log.info("ExecuteDocument: FINISHED EXECUTION")
