"""Runs a plan from start to end in this process: logs, state, reboots, and the result."""

import os
import signal
from functools import partial
from typing import NamedTuple

from awstoe.aws.unavailable import NoAws
from awstoe.engine import step_resources
from awstoe.engine.events import RunResumed, RunStopped
from awstoe.engine.execution import Execution, Services
from awstoe.engine.plan import Plan
from awstoe.engine.records import Records, Status
from awstoe.engine.resume import restore_plans
from awstoe.engine.runner import Runner
from awstoe.engine.summary import Summary, summary
from awstoe.errors import (
    AwstoeError,
    HostError,
    Interrupted,
    RebootNeeded,
    RecordError,
)
from awstoe.host import machine
from awstoe.host.files import temporary
from awstoe.host.files.own_files import sync_path
from awstoe.host.platforms import REBOOT_EXIT_CODE, current
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import rebooting
from awstoe.reporting.console import Console
from awstoe.reporting.log_reporter import LogReporter
from awstoe.reporting.progress import PlainProgress, Progress
from awstoe.reporting.record_files import RecordWriter
from awstoe.reporting.run_log import LogFiles
from awstoe.reporting.setup_log import log_end, log_setup
from awstoe.session.documents import Loader
from awstoe.session.folders import RunFolders, copy_name
from awstoe.session.reboot import Rebooting, exit_code
from awstoe.session.request import RunRequest
from awstoe.session.upkeep import Upkeep
from awstoe.state.journal import Journal


class Outcome(NamedTuple):
    """How this process's part of a run ended."""

    exit_code: int
    reason: str
    """Why the run was stopped; empty if it has finished."""
    rebooting: bool = False
    """Whether the run stops for a reboot and resumes after it."""


class Session:
    """The part of a run that one process runs."""

    def __init__(
        self,
        request: RunRequest,
        console: Console,
        interruption: Interruption,
        folders: RunFolders,
        plan: Plan,
        loader: Loader,
        resumed: Records | None,
    ) -> None:
        self._request = request
        self._console = console
        self._interruption = interruption
        self._folders = folders
        self._plan = plan
        self._loader = loader
        self._resumed = resumed is not None
        self._records = resumed or Records(request.stdout_limit)
        self._progress = _progress(console, trace=request.trace)
        self._upkeep: Upkeep | None = None
        self._rebooting = Rebooting(
            console,
            interruption,
            folders.execution_id,
            request,
        )

    def run(self) -> int:
        """Run the plan. Return the exit code."""
        with children.reaping_orphans():
            return self._run()

    def _run(self) -> int:
        outcome = Outcome(0, "")
        journal = None
        log = None
        try:
            self._progress.start()
            log = LogFiles(
                self._folders.logs,
                self._progress,
                self._console.raw if self._request.trace else None,
            )
            folders = self._folders
            above = [partial(sync_path, path) for path in folders.log_above]
            journal = folders.store.open_journal([*folders.logs.syncs(), *above])
            outcome = self._execute(log, journal)
        except AwstoeError as error:
            outcome = Outcome(1, error_text(error))
        finally:
            self._progress.stop()
            children.drain_end()
        outcome = self._close(log, outcome)
        if journal is not None:
            journal.close()
        if not (outcome.reason or outcome.rebooting or self._folders.keep_state):
            self._folders.store.remove()
        self._report(outcome)
        if outcome.rebooting:
            return self._rebooting.reboot(self._resume_hint() or "")
        return outcome.exit_code

    def _execute(self, log: LogFiles, journal: Journal) -> Outcome:
        folders = self._folders
        for warning in (*folders.warnings, *temporary.warnings()):
            log.warning(warning)
        reporter = LogReporter(log, self._progress, self._records)
        files = RecordWriter(folders.logs, self._records)
        self._upkeep = Upkeep(self._records, folders.logs, log, folders.store, journal)
        services = Services(
            log=log,
            machine=machine.HostMachine(),
            aws=NoAws(),
            documents=self._loader,
            interruption=self._interruption,
            stdout_limit=self._request.stdout_limit,
            reboot_blocked="Reboot" in self._request.blocked,
        )
        execution = Execution(services, self._records, journal, files, reporter, self._upkeep)
        try:
            if self._resumed:
                self._resume(execution)
            else:
                self._log_setup(log)
            try:
                record = Runner(execution, self._plan).run()
            except RebootNeeded as needed:
                return self._prepare_reboot(needed.delay_seconds, execution, journal, files)
            if self._folders.keep_state:
                journal.sync()
        except Interrupted as error:
            name = signal.Signals(error.signal_number).name
            outcome = Outcome(exit_code(error), f"Interrupted by {name}.")
            self._progress.stopped()
            execution.emit(RunStopped("", outcome.reason))
            execution.flush()
            journal.sync()
        except RecordError as error:
            outcome = Outcome(1, error_text(error))
            self._progress.stopped()
        else:
            return Outcome(0 if record.status is not Status.FAILED else 1, "")
        files.write()
        return outcome

    def _resume(self, execution: Execution) -> None:
        """Clean up after the part of the run before this one, and record that the run resumes.

        Raises:
            HostError: The system does not permit it.
            Interrupted: A signal requests the run to stop.
        """
        services = execution.services
        if "" in self._records.runs:
            self._records.runs[""].plan = self._plan
        restore_plans(self._records, self._loader, services.machine.real_path)
        for warning in step_resources.clean_up(self._records, self._interruption):
            self._console.line(f"awstoe: warning: {warning}")
        if self._records.boot is not None:
            self._rebooting.clear()
            if self._records.boot != rebooting.boot_id():
                services.log.info("Executor: System has rebooted successfully")
        execution.emit(RunResumed("", services.machine.now()))

    def _prepare_reboot(
        self, delay_seconds: int, execution: Execution, journal: Journal, files: RecordWriter
    ) -> Outcome:
        """Prepare the run to resume after a reboot.

        Raises:
            HostError: The system does not permit it.
            Interrupted: A signal requests the run to stop.
        """
        self._check_resumable()
        log = execution.services.log
        log.info(f"Executor: the machine reboots in {delay_seconds} seconds; then the run resumes")
        execution.flush()
        journal.sync()
        files.write()
        rebooting.wait(delay_seconds, self._interruption)
        self._rebooting.arrange()
        return Outcome(REBOOT_EXIT_CODE[current()], "", rebooting=True)

    def _check_resumable(self) -> None:
        """Check before a reboot that the run can be resumed after it.

        Raises:
            HostError: It cannot.
        """
        if not self._folders.store.is_lasting:
            raise HostError(
                f"the machine is not rebooted: the state of the run is in"
                f" {self._folders.store.folder}, which may not survive that",
                hint="start the run again with --state-directory",
            )
        assert self._upkeep is not None  # noqa: S101 - made before the first step
        self._upkeep.check_resumable()

    def _log_setup(self, log: LogFiles) -> None:
        folder = self._folders.shown_folder
        documents = [item.document for item in self._plan.documents]
        log_setup(
            log,
            [
                (item.path, os.path.join(folder, copy_name(index, item)))
                for index, item in enumerate(documents)
            ],
            execution_id=self._folders.execution_id,
            phases=self._request.phases,
            log_directory=self._request.log_directory,
        )

    def _close(self, log: LogFiles | None, outcome: Outcome) -> Outcome:
        if log is None:
            return outcome
        try:
            if self._upkeep is not None:
                self._upkeep.finish()
            log_end(log, self._folders.shown_folder, outcome.exit_code, outcome.reason)
            log.close()
        except AwstoeError as error:
            if not outcome.reason:
                return Outcome(1, error_text(error))
        return outcome

    def _report(self, outcome: Outcome) -> None:
        record = self._records.runs.get("")
        if record is None:
            found = Summary(
                self._folders.execution_id,
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
            found = summary(
                record, self._plan, log_url=self._folders.logs.path, reason=outcome.reason
            )
        if outcome.reason:
            self._console.error(AwstoeError(found.stopped, hint=self._resume_hint()))
        for failure in found.failures:
            self._console.failure(f"{failure.document}: {failure.text()}")
        self._console.result(found.as_json())

    def _resume_hint(self) -> str | None:
        if self._upkeep is not None and self._upkeep.obstacle:
            return None
        execution_id = self._folders.execution_id
        return f"to resume it, repeat the command with --resume --execution-id {execution_id}"


def error_text(error: AwstoeError) -> str:
    """Return an error and its hint as one line."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _progress(console: Console, *, trace: bool) -> Progress:
    if console.quiet or trace:
        return Progress()
    if console.is_terminal():
        from awstoe.reporting.live_progress import LiveProgress  # noqa: PLC0415 - loads rich

        return LiveProgress(color=console.color)
    return PlainProgress(console.line)
