"""The logs have complete lines of valid UTF-8, regardless of what a program prints."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.host.files.own_folder import OwnFolder
from awstoe.reporting.log_folder import LogFolder
from awstoe.reporting.progress import Progress
from awstoe.reporting.run_log import LogFiles


class Log:
    """A log in its own folder, read without timestamps."""

    def __init__(self, folder: Path) -> None:
        self.files = LogFiles(LogFolder(OwnFolder.open(str(folder)), []), Progress())
        self._folder = folder

    def console(self) -> list[str]:
        return self._lines("console.log")

    def application(self) -> list[str]:
        return self._lines("application.log")

    def _lines(self, name: str) -> list[str]:
        self.files.flush()
        text = (self._folder / name).read_text(encoding="utf-8")
        assert text == "" or text.endswith("\n")
        stamp = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z "
        return [re.sub("^" + stamp, "", line) for line in text.split("\n")[:-1]]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path)
    yield log
    log.files.close()


def test_messages_are_in_both_logs_and_debug_messages_in_one(log: Log) -> None:
    log.files.info("visible")
    log.files.debug("Executor: hidden")
    assert log.console() == ["visible"]
    assert log.application() == ["visible", "Debug Executor: hidden"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_output_does_not_depend_on_how_it_is_cut(log: Log, size: int) -> None:
    data = "plain\nzwölf größere\n日本語 text\n\U0001f600\n\nlast without end".encode()
    for start in range(0, len(data), size):
        log.files.stdout(data[start : start + size])
    log.files.stdout_end()
    expected = ["plain", "zwölf größere", "日本語 text", "\U0001f600", "", "last without end"]
    assert log.console() == [f"Stdout: {line}" for line in expected]
    assert log.application() == log.console()


def test_bytes_that_are_not_utf8_are_escaped(log: Log) -> None:
    log.files.stdout(b"a\xff\xfeb\n\xc3")
    log.files.stdout_end()
    assert log.console() == [r"Stdout: a\xff\xfeb", r"Stdout: \xc3"]


def test_standard_error_is_one_message_cut_between_characters(log: Log) -> None:
    data = "erstens\nzweitens größer\n".encode()
    log.files.stderr(data[start : start + 1] for start in range(len(data)))
    log.files.stderr(iter(()))
    assert log.console() == [
        "CmdExecution: Stderr: erstens",
        "zweitens größer",
        "CmdExecution: Stderr: ",
    ]


def test_late_output_is_never_inside_a_line_of_a_step(log: Log) -> None:
    log.files.late(b"half a line of the dae")
    log.files.stdout(b"line of the st")
    log.files.late(b"mon\nand another\nrest")
    log.files.stdout(b"ep\n")
    assert log.console() == [
        "Stdout: line of the st",
        "Stdout: half a line of the daemon",
        "Stdout: and another",
        "Stdout: ep",
    ]
    log.files.late(b"!")


def test_message_that_cannot_be_encoded_is_written_escaped(log: Log) -> None:
    log.files.info("path \udcff")
    assert log.console() == [r"path \udcff"]
