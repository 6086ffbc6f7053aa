"""What a running step has on the machine: in the journal, so that a resumed run can clear it away.

A step ends its processes and removes its temporary folder by itself. What is still there when a run
is resumed is of a step whose awstoe was killed or lost its power.
"""

from collections.abc import Iterator

from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution
from awstoe.engine.records import Records, StepRecord
from awstoe.errors import HostError
from awstoe.host.files import temporary
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption


class StepResources:
    """Keeps the traces of the step at ``place``."""

    def __init__(self, execution: Execution, place: StepAddress) -> None:
        self._execution = execution
        self._place = place

    def process_started(self, pid: int) -> None:
        """Keep what names the first process of a program.

        Raises:
            RecordError: The journal cannot be written.
        """
        identity = children.identity(pid)
        if identity is not None:
            self._execution.emit(events.ProcessStarted(*self._place, pid, identity.token))

    def folder_made(self, path: str) -> None:
        """Keep the name of a temporary folder.

        Raises:
            RecordError: The journal cannot be written.
        """
        self._execution.emit(events.FolderMade(*self._place, path))


def clean_up(records: Records, interruption: Interruption) -> list[str]:
    """Clear away what unfinished steps have left; gives warnings about what has to stay."""
    warnings = []
    for step in _steps(records):
        if step.process is not None:
            pid, token = step.process
            identity = children.identity_from_token(pid, token)
            left = children.end_left_over(identity, interruption) if identity else ()
            if left:
                warnings.append(f"still running from before: {', '.join(left)}")
        if step.folder is not None:
            try:
                temporary.remove_folder(step.folder)
            except HostError as error:
                warnings.append(error.message)
    return warnings


def _steps(records: Records) -> Iterator[StepRecord]:
    for run in records.runs.values():
        for document in run.documents.values():
            for phase in document.phases.values():
                yield from phase.steps.values()
