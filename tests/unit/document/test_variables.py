"""Binding values to parameters."""

from awstoe.document.model import Document
from awstoe.document.parse import parse
from awstoe.document.problems import Severity
from awstoe.document.variables import bind
from awstoe.host.platforms import Platform

TEXT = b"""schemaVersion: 1.0
parameters:
  - Needed: {type: string}
  - Color: {type: string, default: red, allowedValues: [red, green]}
  - Empty: {type: string, default: ''}
constants:
  - Fixed: {type: string, value: 1.10}
phases:
  - {name: build, steps: [{name: A, action: UpdateOS}]}
"""


def document() -> Document:
    parsed = parse(TEXT, "a.yml", {Platform.LINUX}).document
    assert parsed is not None
    return parsed


def test_given_values_override_defaults_and_constants_are_bound() -> None:
    bound = bind(document(), {"Needed": "x", "Color": "green"})

    assert bound.values == {"Needed": "x", "Color": "green", "Empty": "", "Fixed": "1.10"}
    assert bound.problems == []


def test_a_parameter_without_a_value_is_an_error_at_its_declaration() -> None:
    (problem,) = bind(document(), {}).problems

    assert problem.severity is Severity.ERROR
    assert problem.line == 3
    assert "'Needed' has no default" in problem.message
    assert problem.hint == "give one with --parameters Needed=VALUE"


def test_a_value_that_is_not_allowed_is_an_error() -> None:
    (problem,) = bind(document(), {"Needed": "x", "Color": "blue"}).problems

    assert problem.severity is Severity.ERROR
    assert problem.message == "parameter 'Color': expected one of 'red', 'green', got 'blue'"


def test_undeclared_values_are_ignored_with_a_warning() -> None:
    bound = bind(document(), {"Needed": "x", "color": "green", "Fixed": "2"})

    assert [problem.severity for problem in bound.problems] == [Severity.WARNING] * 2
    assert bound.problems[0].hint == "did you mean 'Color'?"
    assert "constants cannot be overridden" in bound.problems[1].message
    assert bound.values["Fixed"] == "1.10"
