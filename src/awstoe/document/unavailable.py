"""Finds what a valid document uses that this version of awstoe cannot run.

``validate`` and ``run`` warn about it alike: a build may take hours until it gets to such a step.
"""

from collections.abc import Collection, Iterator
from typing import Final

from awstoe.actions.table import ACTIONS
from awstoe.document.model import Document, Step
from awstoe.document.problems import Problem, Severity
from awstoe.document.source import remote
from awstoe.expressions import conditions, references
from awstoe.expressions.loops import ForEachList, ForEachText
from awstoe.expressions.references import (
    ContextReference,
    ImdsReference,
    Reference,
    SsmReference,
)
from awstoe.expressions.values import Value

_AWS_KEYS: Final = frozenset({"accountId", "region"})
_MSI: Final = frozenset({"InstallMSI", "UninstallMSI"})
_COMMAND: Final = "use a command in a script instead, such as curl or 'aws s3 cp'"
_DOWNLOAD: Final = "download the file in an earlier step, and use its path"
_PARAMETER: Final = "pass the value as a parameter instead"


def problems(document: Document, phases: Collection[int] | None = None) -> list[Problem]:
    """Return a warning for each use, in the order of the document.

    Args:
        document: The document.
        phases: The positions of the phases that matter; None for all.
    """
    found = []
    for number, phase in enumerate(document.phases):
        if phases is not None and number not in phases:
            continue
        for position, step in enumerate(phase.steps):
            for what, hint in _uses(step):
                found.append(
                    Problem(
                        document.path,
                        step.mark.line,
                        step.mark.column,
                        f"phases[{number}].steps[{position}]",
                        Severity.WARNING,
                        "not-in-this-version",
                        f"step '{step.name}' in phase '{phase.name}' uses {what}, which is not in"
                        " this version: the step will fail",
                        hint,
                    )
                )
    return found


def _uses(step: Step) -> Iterator[tuple[str, str]]:
    """Yield what a step uses, and what to do about it."""
    if not ACTIONS[step.action].implemented:
        yield step.action, _COMMAND
        return
    for operation in step.operations:
        if step.action == "ExecuteDocument":
            kind = remote(str(operation.get("document", "")))
            if kind is not None:
                yield f"documents from {kind}", _DOWNLOAD
        elif step.action in _MSI and "://" in str(operation.get("path", "")):
            yield f"{step.action} with a URL", _DOWNLOAD
    seen: dict[str, None] = {}
    for reference, text in _references(step):
        if _needs_aws(reference):
            seen.setdefault(text)
    for text in seen:
        yield text, _PARAMETER


def _references(step: Step) -> Iterator[tuple[Reference, str]]:
    """Yield the references of a step, as parsed and as written."""
    texts: list[Value] = [dict(operation) for operation in step.operations]
    if step.condition is not None:
        texts += conditions.texts(step.condition.condition)
    if isinstance(step.loop, ForEachList):
        texts += step.loop.values
    elif isinstance(step.loop, ForEachText):
        texts.append(step.loop.text)
    for value in texts:
        for located in references.references_in(value):
            yield located.reference, " ".join(located.text.split())


def _needs_aws(reference: Reference) -> bool:
    if isinstance(reference, ContextReference):
        return reference.key in _AWS_KEYS
    return isinstance(reference, SsmReference | ImdsReference)
