"""A signal between the end of a run and the reboot."""

import signal
from pathlib import Path

import pytest

from awstoe.host.process.interruption import Interruption
from awstoe.reporting.console import Console
from awstoe.session.reboot import Rebooting
from awstoe.session.request import RunRequest

NO_DOCUMENTS = RunRequest(
    documents=(),
    phases=(),
    execution_id=None,
    log_directory="",
    state_directory=None,
    blocked=frozenset(),
    trace=False,
    resume=False,
    stdout_limit=0,
    arguments=(),
)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_before_the_reboot_is_reported_with_a_hint(
    number: signal.Signals,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # there is nothing here that could reboot
    monkeypatch.delenv("AWSTOE_REBOOT", raising=False)
    monkeypatch.delenv("AWS_SSM_INSTANCE_ID", raising=False)
    interruption = Interruption()
    interruption.received(number)
    assert Rebooting(Console(), interruption, "id-1", NO_DOCUMENTS).reboot("repeat it") == code
    assert capfd.readouterr() == (
        "",
        f"awstoe: error: Interrupted by {number.name}: the machine is not rebooted.\n"
        "  hint: repeat it\n",
    )
