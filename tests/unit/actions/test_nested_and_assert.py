"""ExecuteDocument starts a nested run; Assert fails if its condition is false."""

import pytest

from awstoe.actions import assertion, execute_document, schema
from awstoe.actions.contract import NestedRun
from awstoe.errors import ActionError
from awstoe.expressions.conditions import Comparison, Evaluation
from fakes.action_context import RecordingContext

CONDITION = Comparison("fileExists", "/gone", None)


def test_inputs_are_passed_to_the_nested_run() -> None:
    context = RecordingContext()
    inputs = schema.typed_inputs(
        "ExecuteDocument",
        {
            "document": "s3://bucket/a.yml",
            "document-s3-bucket-owner": "012345678901",
            "phases": " build, ,validate ",
            "parameters": [{"name": "Level", "value": "1.10"}],
        },
    )
    assert isinstance(inputs, execute_document.Inputs)
    assert execute_document.run(inputs, context) == {"status": "success"}
    assert context.nested == [
        NestedRun("s3://bucket/a.yml", ("build", "validate"), {"Level": "1.10"})
    ]


def test_only_the_document_is_required() -> None:
    context = RecordingContext()
    execute_document.run(execute_document.Inputs("a.yml"), context)
    assert context.nested == [NestedRun("a.yml", (), {})]


def test_outputs_are_the_keys_of_the_summary() -> None:
    assert [output.name for output in schema.schema("ExecuteDocument").outputs] == [
        "executedStepCount",
        "executionId",
        "failedStepCount",
        "failureMessage",
        "ignoredFailedStepCount",
        "logUrl",
        "status",
    ]


def test_an_empty_document_is_an_error() -> None:
    with pytest.raises(ActionError, match="expected a document, got an empty string"):
        execute_document.run(execute_document.Inputs(""), RecordingContext())


def test_a_true_assertion_is_a_success() -> None:
    context = RecordingContext(verdict=Evaluation(value=True, explanation="a equals a"))
    assertion.run(assertion.Inputs(CONDITION), context)
    assert "Assert: The condition is true: a equals a" in context.log.lines


def test_a_false_assertion_fails_with_the_comparison_that_decided() -> None:
    context = RecordingContext(verdict=Evaluation(value=False, explanation="no file /gone"))
    with pytest.raises(ActionError, match="Assert: the condition is false: no file /gone"):
        assertion.run(assertion.Inputs(CONDITION), context)
