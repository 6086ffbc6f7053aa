"""One execution: its records, its journal, and everything its runs share.

``Execution.emit`` is the only way to report that something has happened. It puts an event into the
journal and the records together, so that the two cannot disagree, notifies the observers, and
decides when the journal, the logs and the record files are written.
"""

from typing import Final, NamedTuple, Protocol

from awstoe.document.model import Document
from awstoe.engine import events
from awstoe.engine.observers import RecordFiles, RunLog, RunObserver
from awstoe.engine.records import Records, Status
from awstoe.engine.resolver import AwsValues, MachineValues
from awstoe.engine.silent import NullLog
from awstoe.expressions.conditions import Facts
from awstoe.host.process.interruption import Interruption
from awstoe.state.journal import Journal

_READ_ONCE: Final = frozenset({"hostname", "osName", "osPlatform", "osVersion"})
"""Keys of ``context:`` whose value must not change when a run resumes after a reboot."""


class Machine(MachineValues, Facts, Protocol):
    """What a run needs to know about this machine."""

    def now(self) -> str:
        """Return the time in UTC, as ``2022-05-25T14:01:45Z``."""

    def execution_id(self) -> str:
        """Return a new execution ID."""

    def real_path(self, path: str) -> str:
        """Return ``path`` as an absolute path without links."""

    def hint_beside(self, path: str, document: str) -> str | None:
        """Return a hint if ``path`` exists only relative to the folder of ``document``."""


class Documents(Protocol):
    """Reads documents that other documents name."""

    def read(self, path: str) -> Document:
        """Return the valid document at ``path``.

        Raises:
            DocumentError: It cannot be read or is not valid.
        """


class Services(NamedTuple):
    """What the runs of an execution share."""

    log: RunLog
    machine: Machine
    aws: AwsValues
    documents: Documents
    interruption: Interruption
    stdout_limit: int
    reboot_blocked: bool


class Execution:
    """The records of an execution, the journal behind them, and the observers.

    Also resolves references to this machine (``MachineValues``): the records keep the values that
    are read once per run.

    Args:
        services: What the runs share.
        records: What has happened so far.
        journal: Where journaled events are kept.
        files: The JSON files that show the records.
        observers: Receive every event.
    """

    def __init__(
        self,
        services: Services,
        records: Records,
        journal: Journal,
        files: RecordFiles,
        *observers: RunObserver,
    ) -> None:
        self.services = services
        self.records = records
        self._journal = journal
        self._files = files
        self._observers = observers

    def unobserved(self) -> "Execution":
        """Return the same execution for a nested run that must leave nothing in the logs."""
        services = self.services._replace(log=NullLog(self.services.log))
        return Execution(services, self.records, self._journal, self._files)

    def emit(self, event: events.Event) -> None:
        """Put ``event`` into the journal and the records, notify observers, write what is due.

        Raises:
            RecordError: Journal, logs or record files cannot be written.
        """
        if not isinstance(event, events.TransientEvent) and not self.records.has_started(event):
            self._journal.append(events.to_entry(event))
            self.records.apply(event)
        for observer in self._observers:
            observer.on_event(event)
        self._write_due(event)

    def _write_due(self, event: events.Event) -> None:
        """Write what must not be lost if awstoe is killed after ``event``.

        The journal has a finished step or phase before the record files do. After other events the
        record files may be ahead of it: they may show a phase, the inputs of a step, a finished
        document or a finished run that a killed awstoe has not written to the journal. A resumed
        run repeats these events, with later times, and writes the record files again.
        """
        # At the start of the top run there is nothing to show yet, as the runner sets its plan only
        # afterwards: the record files first appear with the first phase.
        match event:
            case events.ProcessStarted() | events.FolderMade():
                self._journal.flush()
            case events.ActionStarted() | events.IterationsFinished():
                self.flush()
            case events.PhaseStarted() | events.InputsResolved() | events.DocumentFinished():
                self._files.update()
            case events.StepFinished():
                self.flush()
                if event.status == Status.FAILED:
                    self._files.failed()
                else:
                    self._files.update()
            case events.PhaseFinished():
                self.flush()
                self._files.update()
            case events.RunFinished():
                if not event.run:
                    # Before the journal says that the run has finished: after that, no process
                    # would resume the run and write them.
                    self._files.write()
                self.flush()

    def environment(self, name: str) -> str | None:
        return self.services.machine.environment(name)

    def context(self, key: str) -> str:
        if key not in _READ_ONCE:
            return self.services.machine.context(key)
        if key not in self.records.context:
            self.emit(events.ContextRead("", key, self.services.machine.context(key)))
        return self.records.context[key]

    def flush(self) -> None:
        """Hand journal and logs to the operating system, so that a kill cannot lose them.

        Raises:
            RecordError: They cannot be written.
        """
        self._journal.flush()
        self.services.log.flush()
