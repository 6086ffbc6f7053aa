"""Finds the platforms that a document is for: those on which its actions and their inputs work."""

from collections.abc import Iterator

from awstoe.actions.schema import schema
from awstoe.actions.table import ACTIONS
from awstoe.document.scope import Scope, StepFacts
from awstoe.document.syntax.nodes import Mapping
from awstoe.host.platforms import Platform


def platforms_of(scope: Scope) -> frozenset[Platform]:
    """Return the platforms that a document is for.

    If its steps have none in common, these are the platforms of the steps before the first that
    does not fit: validation for them reports that step.
    """
    left = frozenset(Platform)
    for facts in scope.steps.values():
        for allowed in _limits(facts):
            if not left & allowed:
                return left
            left &= allowed
    return left


def _limits(facts: StepFacts) -> Iterator[frozenset[Platform]]:
    """Yield the platforms of a step's action, and of each input that has fewer."""
    spec = ACTIONS.get(facts.action)
    if spec is None:
        return
    yield spec.platforms
    for operation in facts.operations:
        for key in operation.entries if isinstance(operation, Mapping) else ():
            field = schema(facts.action).fields.get(key)
            if field is not None:
                yield field.platforms
