"""Puts a run together from what was asked for, runs it, and tells how it ended.

All documents are read, validated and bound to their parameters before anything is made or run. Then
come the log folder, the state folder with its lock, the logs, and the engine.
"""

import signal
from collections.abc import Sequence
from typing import NamedTuple

from awstoe.actions.table import ACTIONS
from awstoe.aws.unavailable import NoAws
from awstoe.cli.console import Console
from awstoe.cli.loading import Loader
from awstoe.cli.places import Place, copy_path, new_place, place_after_reboot, resumed_place
from awstoe.cli.rebooting import Rebooting, exit_code
from awstoe.cli.request import Request
from awstoe.document import variables
from awstoe.document.model import Document
from awstoe.document.problems import Problem, Severity, document_error, render
from awstoe.engine import traces
from awstoe.engine.events import RunResumed
from awstoe.engine.execution import Execution, Services
from awstoe.engine.plan import Plan, PlannedDocument, planned, select
from awstoe.engine.records import Records, Status
from awstoe.engine.resume import restore_plans
from awstoe.engine.runner import Runner
from awstoe.engine.summary import Summary, summary
from awstoe.errors import (
    AwstoeError,
    DocumentError,
    HostError,
    Interrupted,
    RebootNeeded,
    RecordError,
    UsageError,
)
from awstoe.expressions.values import quoted
from awstoe.host import machine, process, reboot
from awstoe.host.interruption import Interruption
from awstoe.host.platforms import REBOOT_EXIT_CODE, current
from awstoe.reporting.narrator import LogNarrator
from awstoe.reporting.record_files import RecordWriter
from awstoe.reporting.run_log import LogFiles
from awstoe.reporting.setup_log import tell_end, tell_setup
from awstoe.reporting.viewer import PlainViewer, Viewer
from awstoe.state.journal import Journal
from awstoe.state.store import safe_name


class _Outcome(NamedTuple):
    exit_code: int
    reason: str
    """Why the run was stopped; empty when it came to its end."""
    rebooting: bool = False
    """Whether it is stopped for a reboot, and goes on after it."""


def launch(request: Request, console: Console) -> int:
    """Run what ``request`` asks for; gives the exit code.

    Raises:
        UsageError: Something asked for does not fit the documents.
        AwstoeError: The run cannot begin.
    """
    with Interruption() as interruption:
        run: _Run | int = 1
        try:
            run = _prepared(request, console, interruption)
        finally:
            if isinstance(run, int):
                _give_up(request, interruption)
        return run if isinstance(run, int) else run.run()


def _prepared(request: Request, console: Console, interruption: Interruption) -> "_Run | int":
    """The run, or the exit code when it cannot begin, which has been told then."""
    loader = Loader(request.blocked)
    documents = _load(request, loader, console)
    plan = _plan(request, documents, console) if documents else None
    if documents is None or plan is None:
        return DocumentError.exit_code
    resumed: Records | None = None
    try:
        if request.resume:
            place, resumed = resumed_place(request, documents)
        elif found := place_after_reboot(request, documents):
            place, resumed = found
        else:
            place = new_place(request, documents, console)
    except HostError as error:
        console.error(error)
        _refused(request, console, _words(error))
        return error.exit_code
    plan = plan._replace(execution_id=place.execution_id)
    return _Run(request, console, interruption, place, plan, loader, resumed)


def _give_up(request: Request, interruption: Interruption) -> None:
    """Take back what was to go on with a run that cannot: it would be tried at every start.

    An image that is made of this machine would have it, too.
    """
    if not request.resume or request.execution_id is None:
        return
    if reboot.is_for_agent() or reboot.obstacle():
        return
    try:
        reboot.remove(safe_name(request.execution_id), interruption)
    except (HostError, Interrupted):
        return  # what has been told already is why


def _load(request: Request, loader: Loader, console: Console) -> list[Document] | None:
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
            first = first or f"Document {asked.path} failed! {_words(error)}"
            if not shown:
                console.error(error)
        for text in shown:
            console.raw(text.encode(errors="backslashreplace") + b"\n")
    if first:
        _refused(request, console, first)
        return None
    return documents


def _plan(request: Request, documents: Sequence[Document], console: Console) -> Plan | None:
    """What will be run, or None when it cannot be, which has been told then."""
    try:
        selected, unmatched = select(documents, request.phases)
    except UsageError as error:
        console.error(error)
        _refused(request, console, error.message)
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
        _refused(request, console, first)
        return None
    _warn_of_what_cannot_run(bound, console)
    return Plan("", tuple(bound), 0, ())


def _warn_of_what_cannot_run(documents: Sequence[PlannedDocument], console: Console) -> None:
    """Say before the first step which later one this version cannot run: builds take hours."""
    for item in documents:
        for phase, selected in zip(item.document.phases, item.selected, strict=True):
            for step in phase.steps if selected else ():
                if not ACTIONS[step.action].built:
                    console.line(
                        f"awstoe: warning: {item.document.path}:{step.mark.line}: step"
                        f" '{step.name}' in phase '{phase.name}' uses {step.action}, which is not"
                        " in this version: the step will fail"
                    )


def _known_elsewhere(problem: Problem, known: set[str]) -> bool:
    """Whether the parameter a warning is about belongs to another document of the run."""
    return any(quoted(name) in problem.message for name in known)


def _refused(request: Request, console: Console, message: str) -> None:
    """Print the summary of a run that did not begin."""
    found = Summary(request.execution_id or "", Status.FAILED, 0, 0, 0, message, "", ())
    console.result(found.as_json())


class _Run:
    def __init__(
        self,
        request: Request,
        console: Console,
        interruption: Interruption,
        place: Place,
        plan: Plan,
        loader: Loader,
        resumed: Records | None,
    ) -> None:
        self._request = request
        self._console = console
        self._interruption = interruption
        self._place = place
        self._plan = plan
        self._loader = loader
        self._resumed = resumed is not None
        self._records = resumed or Records(request.stdout_limit)
        self._viewer = _viewer(console, trace=request.trace)
        self._rebooting = Rebooting(console, interruption, place.execution_id, request.arguments)

    def run(self) -> int:
        """Run the plan; gives the exit code."""
        outcome = _Outcome(0, "")
        journal = None
        log = None
        try:
            self._viewer.start()
            log = LogFiles(
                self._place.folder,
                self._viewer,
                self._console.raw if self._request.trace else None,
            )
            journal = self._place.store.open_journal()
            outcome = self._execute(log, journal)
        except AwstoeError as error:
            outcome = _Outcome(1, _words(error))
        finally:
            self._viewer.stop()
            process.drain_end()
        outcome = self._close(log, outcome)
        if journal is not None:
            journal.close()
        if not (outcome.reason or outcome.rebooting or self._place.keep_state):
            self._place.store.remove()
        self._report(outcome)
        if outcome.rebooting:
            return self._rebooting.reboot(self._resume_hint())
        return outcome.exit_code

    def _execute(self, log: LogFiles, journal: Journal) -> _Outcome:
        folder = self._place.shown_folder
        narrator = LogNarrator(log, folder, self._viewer)
        files = RecordWriter(self._place.folder, self._records)
        services = Services(
            log=log,
            narrator=narrator,
            files=files,
            machine=machine.HostMachine(),
            aws=NoAws(),
            documents=self._loader,
            interruption=self._interruption,
            stdout_limit=self._request.stdout_limit,
            reboot_blocked="Reboot" in self._request.blocked,
        )
        execution = Execution(services, self._records, journal)
        try:
            if self._resumed:
                self._go_on(execution)
            else:
                self._tell_setup(log)
            try:
                record = Runner(execution, self._plan).run()
            except RebootNeeded as needed:
                return self._prepare_reboot(needed.delay_seconds, execution, journal)
            if self._place.keep_state:
                journal.sync()
        except Interrupted as error:
            name = signal.Signals(error.signal_number).name
            outcome = _Outcome(exit_code(error), f"Interrupted by {name}.")
            narrator.run_finished(0, Status.FAILED, outcome.reason)
            execution.flush()
            journal.sync()
        except RecordError as error:
            outcome = _Outcome(1, _words(error))
        else:
            return _Outcome(0 if record.status is not Status.FAILED else 1, "")
        files.write()
        return outcome

    def _go_on(self, execution: Execution) -> None:
        """Clear up what the run that is resumed left behind, and say that it goes on.

        Raises:
            HostError: The system does not let us.
            Interrupted: A signal asks to stop.
        """
        services = execution.services
        if "" in self._records.runs:
            self._records.runs[""].plan = self._plan
        restore_plans(self._records, self._loader, services.machine.real_path)
        for warning in traces.clear(self._records, self._interruption):
            self._console.line(f"awstoe: warning: {warning}")
        if self._records.boot is not None:
            self._rebooting.clear()
        execution.emit(RunResumed("", services.machine.now()))
        services.narrator.run_resumed()

    def _prepare_reboot(
        self, delay_seconds: int, execution: Execution, journal: Journal
    ) -> _Outcome:
        """See to it that the run goes on after a reboot.

        Raises:
            HostError: The system does not let us.
            Interrupted: A signal asks to stop.
        """
        log = execution.services.log
        log.info(f"Executor: the machine reboots in {delay_seconds} seconds; then the run goes on")
        execution.flush()
        journal.sync()
        execution.services.files.write()
        reboot.wait(delay_seconds, self._interruption)
        self._rebooting.arrange()
        return _Outcome(REBOOT_EXIT_CODE[current()], "", rebooting=True)

    def _tell_setup(self, log: LogFiles) -> None:
        folder = self._place.shown_folder
        documents = [item.document for item in self._plan.documents]
        tell_setup(
            log,
            folder,
            [(item.path, copy_path(folder, index, item)) for index, item in enumerate(documents)],
            execution_id=self._place.execution_id,
            phases=self._request.phases,
            log_directory=self._request.log_directory,
        )

    def _close(self, log: LogFiles | None, outcome: _Outcome) -> _Outcome:
        if log is None:
            return outcome
        try:
            tell_end(log, self._place.shown_folder, outcome.exit_code, outcome.reason)
            log.close()
        except AwstoeError as error:
            if not outcome.reason:
                return _Outcome(1, _words(error))
        return outcome

    def _report(self, outcome: _Outcome) -> None:
        record = self._records.runs.get("")
        if record is None:
            found = Summary(
                self._place.execution_id,
                Status.FAILED,
                failed=0,
                executed=0,
                ignored=0,
                message=outcome.reason,
                log_url="",
                failures=(),
                stopped=outcome.reason,
            )
        else:
            found = summary(record, self._plan, log_url=self._place.folder, reason=outcome.reason)
        if outcome.reason:
            self._console.error(AwstoeError(found.stopped, hint=self._resume_hint()))
        for failure in found.failures:
            self._console.failure(f"{failure.document}: {failure.text()}")
        self._console.result(found.as_json())

    def _resume_hint(self) -> str:
        execution_id = self._place.execution_id
        return f"to go on with it, repeat the command with --resume --execution-id {execution_id}"


def _words(error: AwstoeError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _viewer(console: Console, *, trace: bool) -> Viewer:
    if console.quiet or trace:
        return Viewer()
    if console.is_terminal():
        from awstoe.reporting.terminal import TerminalViewer  # noqa: PLC0415 - loads rich

        return TerminalViewer(color=console.color)
    return PlainViewer(console.line)
