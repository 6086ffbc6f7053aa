"""Prepares a run: reads and validates its documents, makes the plan and the folders, starts it.

All documents are read, validated and bound to their parameters before anything is created or run.
Then come the log folder, the state folder with its lock, the logs, and the engine.
"""

import io
import sys
from collections.abc import Sequence

from awstoe.document import source, unavailable, variables
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
from awstoe.session.request import RequestedDocument, RunRequest
from awstoe.session.resuming import resumed_run, run_after_reboot
from awstoe.session.session import Session, error_text
from awstoe.session.unused import declared, reject_unused, unused
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
                _give_up(request.execution_id if request.resume else None, interruption)
        return run if isinstance(run, int) else run.run()


def _prepared(request: RunRequest, console: Console, interruption: Interruption) -> Session | int:
    """Return the prepared run, or an exit code if it cannot start (already reported)."""
    loader = Loader(request.blocked, strict=request.strict)
    found = _load(request, loader, console)
    if found is None:
        return DocumentError.exit_code
    request, documents = found
    planned_documents = _planned(request, documents, console)
    if planned_documents is None:
        return DocumentError.exit_code
    resumed: Records | None = None
    try:
        if request.resume:
            folders, resumed = resumed_run(request, documents)
        elif waiting := run_after_reboot(request, documents):
            folders, resumed = waiting
        else:
            folders = new_folders(request, documents, console)
    except HostError as error:
        console.error(error)
        _report_failure(request, console, error_text(error))
        return error.exit_code
    plan = Plan(folders.execution_id, planned_documents, 0, ())
    return Session(request, console, interruption, folders, plan, loader, resumed)


def give_up(execution_id: str) -> None:
    """Remove the startup command of a run that cannot be resumed, if there is one.

    It would try again at every start of the machine, and of every machine made from its image.
    """
    with Interruption() as interruption:
        _give_up(execution_id, interruption)


def _give_up(execution_id: str | None, interruption: Interruption) -> None:
    if execution_id is None or rebooting.is_for_agent() or rebooting.obstacle():
        return
    try:
        rebooting.remove(safe_name(execution_id), interruption)
    except (HostError, Interrupted):
        return  # the reason is the one that was reported already


def _load(
    request: RunRequest, loader: Loader, console: Console
) -> tuple[RunRequest, list[Document]] | None:
    """Return all documents, or None if one of them is not valid (already reported).

    The request returned names each of them, in place of folders and patterns.
    """
    stdin = sys.stdin.buffer if sys.stdin is not None else io.BytesIO()
    errors: list[str] = []
    names = [each.path for each in request.documents]
    found = _expanded(request, errors, console)
    documents = []
    for requested in found:
        try:
            loaded = loader.load(requested.path, stdin if requested.from_stdin else None)
        except (DocumentError, HostError) as error:
            console.error(error)
            errors.append(f"Document {requested.path} failed! {error_text(error)}")
            continue
        for problem, text in zip(loaded.problems, loaded.rendered, strict=True):
            console.problem(text, is_error=problem.severity is Severity.ERROR)
        if loaded.failed:
            reason = error_text(document_error(loaded.problems))
            errors.append(f"Document {requested.path} failed! {reason}")
        if loaded.document is not None:
            documents.append(loaded.document)
    if request.strict and len(documents) == len(found):
        reject_unused(found, documents)
    if errors:
        _report_failure(request, console, errors[0])
        return None
    request = request._replace(documents=tuple(found))
    if [each.path for each in found] != names:
        # At the next startup, a folder or a pattern may have other documents.
        arguments = (*request.other_arguments, "--", *(each.path for each in found))
        request = request._replace(arguments=arguments, expanded=True)
    return request, documents


def _expanded(request: RunRequest, errors: list[str], console: Console) -> list[RequestedDocument]:
    """Return the documents that the request names; errors are reported, and added to ``errors``."""
    if not request.expand:
        return list(request.documents)
    found: list[RequestedDocument] = []
    for requested in request.documents:
        taken = any(each.from_stdin for each in found)
        try:
            paths = source.expand([requested.path], stdin_taken=taken)
        except DocumentError as error:
            console.error(error)
            errors.append(f"Document {requested.path} failed! {error_text(error)}")
            continue
        found += [
            requested._replace(path=path, from_stdin=path == source.STANDARD_INPUT)
            for path in paths
        ]
    return found


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
    _warn_of_unused(request, documents, unmatched, console)
    items: list[PlannedDocument] = []
    errors = []
    strict = request.strict
    for document, requested, chosen in zip(documents, request.documents, selected, strict=True):
        known = declared(document)
        given = {name: text for name, text in requested.parameters.items() if name in known}
        bound = variables.bind(document, given, strict=strict)
        for problem in bound.problems:
            if problem.severity is Severity.ERROR:
                errors.append(f"Document {document.path} failed! {problem.message}")
            console.problem(render(problem, []), is_error=problem.severity is Severity.ERROR)
        items.append(planned(document, bound.values, chosen))
    if errors:
        _report_failure(request, console, errors[0])
        return None
    _warn_of_unavailable(items, console)
    return tuple(items)


def _warn_of_unused(
    request: RunRequest, documents: Sequence[Document], unmatched: Sequence[str], console: Console
) -> None:
    """Warn about names on the command line or in the configuration that nothing has.

    Raises:
        UsageError: With --strict.
    """
    for each in unused(request.documents, documents):
        console.line(f"awstoe: warning: {each.message}: the value is ignored\n  hint: {each.hint}")
    for name in unmatched:
        message = f"--phases: no document has a phase {name}"
        if request.strict:
            raise UsageError(message)
        console.line(f"awstoe: warning: {message}")


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
