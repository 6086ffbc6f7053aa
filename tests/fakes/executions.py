"""An engine without processes, logs or disk: documents from text, and fakes that record calls."""

from collections.abc import Iterable, Sequence

from awstoe import limits
from awstoe.aws.unavailable import NoAws
from awstoe.document.model import Document
from awstoe.document.parse import parse
from awstoe.engine import events
from awstoe.engine.execution import Execution, Services
from awstoe.engine.plan import Plan, planned
from awstoe.engine.records import Records
from awstoe.errors import DocumentError
from awstoe.host.platforms import Platform
from awstoe.host.process.interruption import Interruption
from awstoe.state.journal import Journal

TIME = "2022-05-25T14:01:45Z"


def document(phases: str, path: str = "doc.yml") -> Document:
    """Return the document whose ``phases`` are this YAML text."""
    text = f"name: D\nschemaVersion: 1.0\nphases:\n{phases}"
    parsed = parse(text.encode(), path, [Platform.LINUX])
    assert parsed.document is not None, parsed.problems
    return parsed.document


def plan(*documents: Document) -> Plan:
    """Return a plan that runs all phases of ``documents``."""
    items = tuple(planned(item, {}, (True,) * len(item.phases)) for item in documents)
    return Plan("id-1", items, 0, ())


class Calls(list[str]):
    """What was called, in order."""

    def events(self) -> list[str]:
        """Return the kinds of the events that the observer received."""
        return [call.removeprefix("observe ") for call in self if call.startswith("observe ")]


class FakeJournal(Journal):
    """Keeps entries in memory."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.entries: list[Sequence[object]] = []

    def append(self, entry: Sequence[object]) -> None:
        self.entries.append(entry)
        self.calls.append(f"journal {entry[0]}")

    def flush(self) -> None:
        self.calls.append("flush journal")


class FakeFiles:
    """The record files."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def update(self) -> None:
        self.calls.append("update files")

    def failed(self) -> None:
        self.calls.append("update files for a failure")

    def write(self) -> None:
        self.calls.append("write files")


class FakeLog:
    """Keeps messages; notes when it is flushed."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.messages: list[str] = []
        self.warnings: list[str] = []

    def info(self, message: str) -> None:
        self.messages.append(message)

    def debug(self, message: str) -> None:
        self.messages.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def stdout(self, data: bytes) -> None:
        self.messages.append(f"stdout {data!r}")

    def stdout_end(self) -> None:
        self.messages.append("stdout end")

    def live_stderr(self, data: bytes) -> None:
        self.messages.append(f"live {data!r}")

    def stderr(self, chunks: Iterable[bytes]) -> None:
        self.messages.append(f"stderr {b''.join(chunks)!r}")

    def late(self, data: bytes) -> None:
        self.messages.append(f"late {data!r}")

    def flush(self) -> None:
        self.calls.append("flush log")


class FakeObserver:
    """Notes the kinds of the events and keeps them."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.received: list[events.Event] = []

    def on_event(self, event: events.Event) -> None:
        self.received.append(event)
        self.calls.append(f"observe {type(event).__name__}")


class NotedRecords(Records):
    """Records that note when an event is applied."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(limits.OUTPUT_VALUE_BYTES)
        self.calls = calls

    def apply(self, event: events.JournaledEvent) -> None:
        super().apply(event)
        self.calls.append(f"record {type(event).__name__}")


class FakeMachine:
    """A machine with fixed answers."""

    def __init__(self) -> None:
        self.queried: list[str] = []

    def now(self) -> str:
        return TIME

    def execution_id(self) -> str:
        return "id-2"

    def real_path(self, path: str) -> str:
        return f"/{path}"

    def hint_beside(self, path: str, document: str) -> str | None:
        return f"{path} is next to {document}" if path.startswith("beside") else None

    def environment(self, name: str) -> str | None:
        return {"HOME": "/root"}.get(name)

    def context(self, key: str) -> str:
        self.queried.append(key)
        return f"the {key}"

    def file_exists(self, path: str) -> bool:
        return path == "/there"

    def folder_exists(self, path: str) -> bool:
        return path == "/folder"

    def file_hash(self, path: str, algorithm: str) -> str | None:
        del path, algorithm
        return None

    def binary_exists(self, name: str) -> bool:
        return name == "sh"

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        del flags, seconds
        return expression in text


class NoDocuments:
    """Knows the documents it was given."""

    def __init__(self, *documents: Document) -> None:
        self._documents = {item.path: item for item in documents}

    def read(self, path: str) -> Document:
        if path not in self._documents:
            raise DocumentError(f"{path}: no such file")
        return self._documents[path]

    def parse(self, path: str, data: bytes) -> Document:
        parsed = parse(data, path, [Platform.LINUX])
        assert parsed.document is not None
        return parsed.document


class Engine:
    """An execution made of fakes."""

    def __init__(self, *documents: Document, reboot_blocked: bool = False) -> None:
        self.calls = Calls()
        self.journal = FakeJournal(self.calls)
        self.files = FakeFiles(self.calls)
        self.log = FakeLog(self.calls)
        self.observer = FakeObserver(self.calls)
        self.records = NotedRecords(self.calls)
        self.machine = FakeMachine()
        services = Services(
            log=self.log,
            machine=self.machine,
            aws=NoAws(),
            documents=NoDocuments(*documents),
            interruption=Interruption(),
            stdout_limit=1000,
            reboot_blocked=reboot_blocked,
        )
        self.execution = Execution(services, self.records, self.journal, self.files, self.observer)
