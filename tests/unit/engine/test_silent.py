"""The log that drops messages."""

from awstoe.engine.observers import RunLog
from awstoe.engine.silent import NullLog
from fakes.executions import Calls, FakeLog


def test_only_flush_has_an_effect() -> None:
    log = FakeLog(Calls())
    silent: RunLog = NullLog(log)
    silent.info("x")
    silent.debug("x")
    silent.warning("x")
    silent.stdout(b"x")
    silent.stdout_end()
    silent.live_stderr(b"x")
    silent.stderr([b"x"])
    silent.late(b"x")
    silent.flush()
    assert (log.messages, log.warnings, log.calls) == ([], [], ["flush log"])
