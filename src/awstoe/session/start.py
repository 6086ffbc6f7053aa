"""Prepares a run: reads and validates its documents, makes the plan and the folders, starts it.

All documents are read, validated and bound to their parameters before anything is created or run.
Then come the log folder, the state folder with its lock, the logs, and the engine.
"""

from collections.abc import Sequence

from awstoe.document import unavailable, variables
from awstoe.document.model import Document
from awstoe.document.problems import Severity, document_error, render
from awstoe.engine.plan import Plan, PlannedDocument, planned, select
from awstoe.engine.records import Records, Status
from awstoe.engine.summary import Summary
from awstoe.errors import DocumentError, HostError, Interrupted, UsageError
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
    """Run the requested documents. Return the exit code.

    Raises:
        UsageError: The request does not fit the documents.
        AwstoeError: The run cannot start.
    """
    with Interruption() as interruption:
        run: Session | int = 1
        try:
            run = _prepared(request, console, interruption)
        finally:
            if isinstance(run, int):
                _give_up(request, interruption)
        return run if isinstance(run, int) else run.run()


def _prepared(request: RunRequest, console: Console, interruption: Interruption) -> Session | int:
    """Return the prepared run, or an exit code if it cannot start (already reported)."""
    loader = Loader(request.blocked)
    documents = _load(request, loader, console)
    if documents is None:
        return DocumentError.exit_code
    planned_documents = _planned(request, documents, console)
    if planned_documents is None:
        return DocumentError.exit_code
    resumed: Records | None = None
    try:
        if request.resume:
            folders, resumed = resumed_run(request, documents)
        elif found := run_after_reboot(request, documents):
            folders, resumed = found
        else:
            folders = new_folders(request, documents, console)
    except HostError as error:
        console.error(error)
        _report_failure(request, console, error_text(error))
        return error.exit_code
    plan = Plan(folders.execution_id, planned_documents, 0, ())
    return Session(request, console, interruption, folders, plan, loader, resumed)


def _give_up(request: RunRequest, interruption: Interruption) -> None:
    """Remove the startup command of a run that cannot be resumed.

    It would try again at every start of the machine, and of every machine made from its image.
    """
    if not request.resume or request.execution_id is None:
        return
    if rebooting.is_for_agent() or rebooting.obstacle():
        return
    try:
        rebooting.remove(safe_name(request.execution_id), interruption)
    except (HostError, Interrupted):
        return  # the reason is the one that was reported already


def _load(request: RunRequest, loader: Loader, console: Console) -> list[Document] | None:
    """Return all documents, or None if one of them is not valid (already reported)."""
    documents = []
    errors = []
    for requested in request.documents:
        try:
            loaded = loader.load(requested.path)
        except (DocumentError, HostError) as error:
            console.error(error)
            errors.append(f"Document {requested.path} failed! {error_text(error)}")
            continue
        for text in loaded.rendered:
            console.raw(text.encode(errors="backslashreplace") + b"\n")
        if loaded.document is None:
            reason = error_text(document_error(loaded.problems))
            errors.append(f"Document {requested.path} failed! {reason}")
        else:
            documents.append(loaded.document)
    if errors:
        _report_failure(request, console, errors[0])
        return None
    return documents


def _planned(
    request: RunRequest, documents: Sequence[Document], console: Console
) -> tuple[PlannedDocument, ...] | None:
    """Return what to run of each document, or None if that is impossible (already reported)."""
    try:
        selected, unmatched = select(documents, request.phases)
    except UsageError as error:
        console.error(error)
        _report_failure(request, console, error.message)
        return None
    for name in unmatched:
        console.line(f"awstoe: warning: --phases: no document has a phase {name}")
    items: list[PlannedDocument] = []
    errors = []
    declared = {parameter.name for document in documents for parameter in document.parameters}
    for document, requested, chosen in zip(documents, request.documents, selected, strict=True):
        bound = variables.bind(document, requested.parameters, declared)
        for problem in bound.problems:
            if problem.severity is Severity.ERROR:
                errors.append(f"Document {document.path} failed! {problem.message}")
            console.raw(render(problem, []).encode(errors="backslashreplace") + b"\n")
        items.append(planned(document, bound.values, chosen))
    if errors:
        _report_failure(request, console, errors[0])
        return None
    _warn_of_unavailable(items, console)
    return tuple(items)


def _warn_of_unavailable(documents: Sequence[PlannedDocument], console: Console) -> None:
    """Warn before the first step about later ones that this version cannot run."""
    for item in documents:
        phases = [number for number, selected in enumerate(item.selected) if selected]
        for problem in unavailable.problems(item.document, phases):
            console.raw(render(problem, []).encode(errors="backslashreplace") + b"\n")


def _report_failure(request: RunRequest, console: Console, message: str) -> None:
    """Print the summary of a run that did not start."""
    found = Summary(request.execution_id or "", Status.FAILED, 0, 0, 0, message, "", ())
    console.result(found.as_json())
