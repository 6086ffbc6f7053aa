"""Prepares a run: reads and validates its documents, makes the plan and the folders, starts it.

All documents are read, validated and bound to their parameters before anything is made or run. Then
come the log folder, the state folder with its lock, the logs, and the engine.
"""

from collections.abc import Sequence

from awstoe.actions.table import ACTIONS
from awstoe.document import variables
from awstoe.document.model import Document
from awstoe.document.problems import Problem, Severity, document_error, render
from awstoe.engine.plan import Plan, PlannedDocument, planned, select
from awstoe.engine.records import Records, Status
from awstoe.engine.summary import Summary
from awstoe.errors import (
    DocumentError,
    HostError,
    Interrupted,
    UsageError,
)
from awstoe.expressions.values import quoted
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import rebooting
from awstoe.reporting.console import Console
from awstoe.session.documents import Loader
from awstoe.session.folders import new_folders
from awstoe.session.request import RunRequest
from awstoe.session.resuming import resumed_run, run_after_reboot
from awstoe.session.session import Session, error_text
from awstoe.state.store import safe_name


def launch(request: RunRequest, console: Console) -> int:
    """Run what ``request`` asks for; gives the exit code.

    Raises:
        UsageError: Something asked for does not fit the documents.
        AwstoeError: The run cannot begin.
    """
    with Interruption() as interruption:
        run: Session | int = 1
        try:
            run = _prepared(request, console, interruption)
        finally:
            if isinstance(run, int):
                _give_up(request, interruption)
        return run if isinstance(run, int) else run.run()


def _prepared(request: RunRequest, console: Console, interruption: Interruption) -> "Session | int":
    """The run, or the exit code when it cannot begin, which has been told then."""
    loader = Loader(request.blocked)
    documents = _load(request, loader, console)
    plan = _plan(request, documents, console) if documents else None
    if documents is None or plan is None:
        return DocumentError.exit_code
    resumed: Records | None = None
    try:
        if request.resume:
            place, resumed = resumed_run(request, documents)
        elif found := run_after_reboot(request, documents):
            place, resumed = found
        else:
            place = new_folders(request, documents, console)
    except HostError as error:
        console.error(error)
        _report_failure(request, console, error_text(error))
        return error.exit_code
    plan = plan._replace(execution_id=place.execution_id)
    return Session(request, console, interruption, place, plan, loader, resumed)


def _give_up(request: RunRequest, interruption: Interruption) -> None:
    """Take back what was to go on with a run that cannot: it would be tried at every start.

    An image that is made of this machine would have it, too.
    """
    if not request.resume or request.execution_id is None:
        return
    if rebooting.is_for_agent() or rebooting.obstacle():
        return
    try:
        rebooting.remove(safe_name(request.execution_id), interruption)
    except (HostError, Interrupted):
        return  # what has been told already is why


def _load(request: RunRequest, loader: Loader, console: Console) -> list[Document] | None:
    """All documents, or None when one is not valid, which has been told then."""
    documents = []
    first = ""
    for asked in request.documents:
        shown: list[str] = []
        try:
            document, found, shown = loader.load(asked.path)
            if document is None:
                raise document_error(found)
            documents.append(document)
        except DocumentError as error:
            first = first or f"Document {asked.path} failed! {error_text(error)}"
            if not shown:
                console.error(error)
        for text in shown:
            console.raw(text.encode(errors="backslashreplace") + b"\n")
    if first:
        _report_failure(request, console, first)
        return None
    return documents


def _plan(request: RunRequest, documents: Sequence[Document], console: Console) -> Plan | None:
    """What will be run, or None when it cannot be, which has been told then."""
    try:
        selected, unmatched = select(documents, request.phases)
    except UsageError as error:
        console.error(error)
        _report_failure(request, console, error.message)
        return None
    for name in unmatched:
        console.line(f"awstoe: warning: --phases: no document has a phase {name}")
    bound: list[PlannedDocument] = []
    first = ""
    known = {parameter.name for document in documents for parameter in document.parameters}
    for document, asked, chosen in zip(documents, request.documents, selected, strict=True):
        values = variables.bind(document, asked.parameters)
        for problem in values.problems:
            if problem.severity is Severity.ERROR:
                first = first or f"Document {document.path} failed! {problem.message}"
            elif problem.code == "unknown-parameter" and _known_elsewhere(problem, known):
                continue
            console.raw(render(problem, []).encode(errors="backslashreplace") + b"\n")
        bound.append(planned(document, values.values, chosen))
    if first:
        _report_failure(request, console, first)
        return None
    _warn_of_what_cannot_run(bound, console)
    return Plan("", tuple(bound), 0, ())


def _warn_of_what_cannot_run(documents: Sequence[PlannedDocument], console: Console) -> None:
    """Say before the first step which later one this version cannot run: builds take hours."""
    for item in documents:
        for phase, selected in zip(item.document.phases, item.selected, strict=True):
            for step in phase.steps if selected else ():
                if not ACTIONS[step.action].implemented:
                    console.line(
                        f"awstoe: warning: {item.document.path}:{step.mark.line}: step"
                        f" '{step.name}' in phase '{phase.name}' uses {step.action}, which is not"
                        " in this version: the step will fail"
                    )


def _known_elsewhere(problem: Problem, known: set[str]) -> bool:
    """Whether the parameter a warning is about belongs to another document of the run."""
    return any(quoted(name) in problem.message for name in known)


def _report_failure(request: RunRequest, console: Console, message: str) -> None:
    """Print the summary of a run that did not begin."""
    found = Summary(request.execution_id or "", Status.FAILED, 0, 0, 0, message, "", ())
    console.result(found.as_json())
