"""One execution: the records, the journal and everything the runs of it share.

``emit`` is the only way the records change: an event goes into the records and the journal
together, so that the two can never tell different stories. An execution gives references their
values of this machine (``MachineValues``): what is read once per run is in the records.
"""

import json
from typing import Final, NamedTuple, Protocol

from awstoe.document.model import Document
from awstoe.engine import events
from awstoe.engine.observers import RecordFiles, RunLog, RunObserver
from awstoe.engine.records import Records
from awstoe.engine.resolver import AwsValues, MachineValues
from awstoe.engine.silent import NullLog, NullObserver
from awstoe.expressions.conditions import Facts
from awstoe.host.process.interruption import Interruption
from awstoe.state.journal import Journal

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Compact JSON, as AWSTOE writes inputs and outputs in its records."""


_READ_ONCE: Final = frozenset({"hostname", "osName", "osPlatform", "osVersion"})
"""Keys of ``context:`` whose value must not change when a run goes on after a reboot."""


class Machine(MachineValues, Facts, Protocol):
    """What a run asks of this machine."""

    def now(self) -> str:
        """The time, UTC, as ``2022-05-25T14:01:45Z``."""

    def execution_id(self) -> str:
        """A new execution id."""

    def real_path(self, path: str) -> str:
        """``path``, absolute and without links."""

    def hint_beside(self, path: str, document: str) -> str | None:
        """``path`` as seen from the folder of ``document``, if there is a file and none here."""


class Documents(Protocol):
    """Reads documents that other documents name."""

    def read(self, path: str) -> Document:
        """The valid document at ``path``.

        Raises:
            DocumentError: It cannot be read or is not valid.
        """


class Services(NamedTuple):
    """What the runs of an execution share."""

    log: RunLog
    narrator: RunObserver
    files: RecordFiles
    machine: Machine
    aws: AwsValues
    documents: Documents
    interruption: Interruption
    stdout_limit: int
    reboot_blocked: bool


class Execution:
    """The records of an execution and the journal behind them."""

    def __init__(self, services: Services, records: Records, journal: Journal) -> None:
        self.services = services
        self.records = records
        self._journal = journal

    def muted(self) -> "Execution":
        """The same execution for a run that must leave nothing in the logs."""
        log = NullLog(self.services.log)
        services = self.services._replace(log=log, narrator=NullObserver())
        return Execution(services, self.records, self._journal)

    def emit(self, event: events.Event) -> None:
        """Take ``event`` into the records and the journal."""
        self.records.apply(event)
        self._journal.append(events.to_entry(event))

    def environment(self, name: str) -> str | None:
        """See ``MachineValues``."""
        return self.services.machine.environment(name)

    def context(self, key: str) -> str:
        """See ``MachineValues``; a name is read once per run, a resumed run included."""
        if key not in _READ_ONCE:
            return self.services.machine.context(key)
        if key not in self.records.context:
            self.emit(events.ContextRead("", key, self.services.machine.context(key)))
        return self.records.context[key]

    def flush(self) -> None:
        """Hand logs and journal to the system, so that a kill cannot lose them.

        Raises:
            RecordError: They cannot be written.
        """
        self._journal.flush()
        self.services.log.flush()

    def flush_journal(self) -> None:
        """Hand the journal alone to the system.

        Raises:
            RecordError: It cannot be written.
        """
        self._journal.flush()

    def sync_soon(self) -> None:
        """Begin to flush the journal to the disk.

        Raises:
            RecordError: It cannot be written.
        """
        self.flush()
        self._journal.sync_soon()
