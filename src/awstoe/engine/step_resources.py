"""Records the processes and folders of a running step, so that a resumed run can clean up.

A step ends its processes and removes its temporary folder itself. Anything left when a run is
resumed belongs to a step whose awstoe was killed or whose machine lost power.
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
    """Puts the resources of one step into the journal."""

    def __init__(self, execution: Execution, address: StepAddress) -> None:
        self._execution = execution
        self._address = address

    def process_started(self, pid: int) -> None:
        """Record the identity of a program's first process.

        Raises:
            RecordError: The journal cannot be written.
        """
        identity = children.identity(pid)
        if identity is not None:
            self._execution.emit(events.ProcessStarted(*self._address, pid, identity.token))

    def folder_made(self, path: str) -> None:
        """Record the path of a temporary folder.

        Raises:
            RecordError: The journal cannot be written.
        """
        self._execution.emit(events.FolderMade(*self._address, path))


def clean_up(records: Records, interruption: Interruption) -> list[str]:
    """Remove what unfinished steps have left. Return warnings about what could not be removed."""
    warnings = []
    for step in _steps(records):
        if step.process is not None:
            pid, token = step.process
            identity = children.identity_from_token(pid, token)
            left = children.end_left_over(identity, interruption) if identity else ()
            if left:
                warnings.append(f"processes of an earlier session still run: {', '.join(left)}")
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
