"""Checks after each step that the folders of the run are still there, and makes them again.

Image builds end with steps that remove what is in ``/tmp`` and ``/var/log``, and some remove the
state folder, too. The run must not depend on that, nor leave anything in the image.
"""

from awstoe.engine import events
from awstoe.engine.records import Records
from awstoe.errors import HostError, RecordError
from awstoe.host.files import temporary
from awstoe.host.files.own_files import explain
from awstoe.reporting.log_folder import LogFolder
from awstoe.reporting.run_log import LogFiles
from awstoe.state.journal import Journal
from awstoe.state.store import Store

_CHECKED = (events.StepFinished, events.RunStopped, events.RunInterrupted)


class Upkeep:
    """Keeps the folders of a run; an observer of the run.

    Args:
        records: The records of the run.
        folder: The log folder.
        log: The logs.
        store: The state folder.
        journal: The journal in it.

    Attributes:
        obstacle: Why the run cannot be resumed; empty if it can.
    """

    def __init__(
        self, records: Records, folder: LogFolder, log: LogFiles, store: Store, journal: Journal
    ) -> None:
        self._records = records
        self._folder = folder
        self._log = log
        self._store = store
        self._journal = journal
        self._temporary = temporary.Parent()
        self._last: events.StepStarted | events.StepFinished | None = None
        self.obstacle = ""
        folder.blame = self._step

    def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            self._last = event
        elif isinstance(event, _CHECKED):
            if isinstance(event, events.StepFinished):
                self._last = event
            self.check()

    def _step(self) -> str:
        """Return the step that runs or has run last, as the start of a sentence."""
        event = self._last
        if event is None:
            return "another process"
        document = self._records.plan(event.run).documents[event.document].document
        phase = document.phases[event.phase]
        inside = f" of {document.path}" if event.run else ""
        return f"step '{phase.steps[event.step].name}' in phase '{phase.name}'{inside}"

    def check(self) -> None:
        """Make again what the last step has removed, and warn of it.

        Raises:
            RecordError: The log folder cannot be made again.
        """
        self._folder.check()
        news = [*self._folder.news(), *self._state_news(), *self._temporary.check()]
        if news:
            self._log.warning(f"{self._step()} {'; it '.join(news)}")

    def finish(self) -> None:
        """Check for the last time, and make the log folder complete.

        Raises:
            HostError: That is not possible.
        """
        self._folder.finish()
        self.check()

    def _state_news(self) -> list[str]:
        store = self._store
        if self.obstacle:
            return []  # the step was named already
        try:
            read_only = store.keep_usable()
            if not self._journal.is_whole():
                self.obstacle = f"{self._step()} changed the state in {store.folder}"
                return [
                    f"changed the state of the run in {store.folder}, so the run cannot be resumed"
                ]
            if store.is_intact(self._journal):
                if read_only:
                    return [f"took away rights to the state folder {store.folder}; undone"]
                return []
            was_in_place = store.is_in_place()
            store.make_again(self._journal)
        except (HostError, OSError) as error:
            if isinstance(error, OSError):
                error = explain(error, f"make the folder {store.folder} again")
            self.obstacle = f"{self._step()} removed its state: {error.message}"
            return [
                f"removed or moved the state folder {store.folder}, so the run cannot be resumed:"
                f" {error.message}"
            ]
        if was_in_place:
            return [f"changed files in the state folder {store.folder}, which were written again"]
        return [f"removed or moved the state folder {store.folder}, which was made again"]

    def check_resumable(self) -> None:
        """Check before a reboot that the run can be resumed after it.

        Raises:
            RecordError: It cannot.
        """
        self.check()
        if self.obstacle:
            raise RecordError(
                f"the machine is not rebooted, because the run could not be resumed:"
                f" {self.obstacle}",
                hint="change that step, and start a new run",
            )
