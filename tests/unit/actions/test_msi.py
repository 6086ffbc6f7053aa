"""InstallMSI and UninstallMSI: check the signature, run msiexec, reboot."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from awstoe.actions import install_msi, msi, schema, uninstall_msi
from awstoe.actions.contract import Result
from awstoe.actions.msi_inputs import MsiInputs, MsiOutputs
from awstoe.errors import ActionError
from awstoe.host.process import command_line
from fakes.answering_context import AnsweringContext


@pytest.fixture
def installer(tmp_path: Path) -> Path:
    path = tmp_path / "the app's.msi"
    path.write_bytes(b"an installer")
    return path


class Machine:
    """Windows, as these actions see it."""

    def __init__(self, folder: Path, *, status: str = "Valid", exit_code: int = 0) -> None:
        self.ctx = AnsweringContext(folder, self._answer)
        self._status = status
        self._exit_code = exit_code

    def _answer(self, argv: tuple[str, ...]) -> Result:
        if argv[0] == "powershell.exe":
            return Result(0, f"{self._status}\r\n", "")
        return Result(self._exit_code, "", "")

    @property
    def msiexec(self) -> tuple[str, ...] | None:
        commands = [argv for argv in self.ctx.started if argv[0] == "msiexec.exe"]
        assert len(commands) <= 1
        return commands[0] if commands else None


def install(machine: Machine, path: Path, **inputs: Any) -> MsiOutputs:  # noqa: ANN401
    return install_msi.run(MsiInputs(str(path), **inputs), machine.ctx)


def test_msiexec_is_quiet_and_leaves_the_reboot_to_us(installer: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert install(machine, installer) == MsiOutputs("", 0, "")
    assert machine.msiexec == (
        *("msiexec.exe", "/i", str(installer), "/qn", "/norestart"),
        "REBOOT=ReallySuppress",
    )
    quoted = str(installer).replace("'", "''")
    assert f"-LiteralPath '{quoted}'" in machine.ctx.scripts[0]


def test_log_is_kept_and_its_folders_are_created(installer: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    log = tmp_path / "logs" / "of" / "app.log"
    outputs = install(machine, installer, log_file=str(log), log_options="iwe!")
    assert outputs.logFile == str(log)
    assert log.parent.is_dir()
    assert (machine.msiexec or ())[5:7] == ("/Liwe!", str(log))


def test_values_of_properties_reach_msiexec_unchanged(installer: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    properties: Mapping[str, str] = {"COMPANYNAME": '"Example ""Corp."""', "LEVEL": "3"}
    install(machine, installer, properties=properties)
    line = command_line.of_program(machine.msiexec or ())
    assert ' COMPANYNAME="Example ""Corp.""" LEVEL=3 REBOOT=ReallySuppress' in line
    assert f'/i "{installer}" /qn' in line


@pytest.mark.parametrize("value", ["Example Corp.", "x REINSTALL=ALL", '"x', '"a" "b"', "a\tb"])
def test_value_that_msiexec_would_split_is_an_error(
    installer: Path, tmp_path: Path, value: str
) -> None:
    machine = Machine(tmp_path)
    with pytest.raises(ActionError, match="the property X has spaces outside double quotes"):
        install(machine, installer, properties={"X": value})
    assert machine.ctx.started == []


@pytest.mark.parametrize("name", ["A=1 REINSTALL", "/x", "", "two words", "reboot"])
def test_name_that_is_not_a_property_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="property"):
        schema.typed_inputs("InstallMSI", {"path": "C:\\a.msi", "properties": {name: "x"}})


STATUSES = [
    # status, ignore errors, allow unsigned, expected error
    ("Valid", False, False, ""),
    ("NotSigned", False, False, "is not signed"),
    ("NotSigned", True, False, "is not signed"),
    ("NotSigned", False, True, ""),
    ("HashMismatch", False, False, "is not valid: HashMismatch"),
    ("HashMismatch", False, True, "is not valid: HashMismatch"),
    ("HashMismatch", True, False, ""),
    ("UnknownError", False, False, "is not valid: UnknownError"),
    ("", False, False, "is not valid: no answer"),
    ("NotTrusted", True, True, ""),
]


@pytest.mark.parametrize(("status", "ignore", "unsigned", "reason"), STATUSES)
def test_signature_decides_before_anything_is_installed(
    installer: Path,
    tmp_path: Path,
    *,
    status: str,
    ignore: bool,
    unsigned: bool,
    reason: str,
) -> None:
    machine = Machine(tmp_path, status=status)
    inputs = {
        "ignore_authenticode_signature_errors": ignore,
        "allow_unsigned_installer": unsigned,
    }
    if not reason:
        install(machine, installer, **inputs)
        assert machine.msiexec
        return
    with pytest.raises(ActionError, match=reason):
        install(machine, installer, **inputs)
    assert machine.msiexec is None


class Holding:
    """Replaces ``deny_writes``; records which programs start while a file is locked."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.started: list[str] = []

    @contextmanager
    def deny_writes(self, path: str) -> Iterator[None]:
        before = len(self._machine.ctx.started)
        yield
        self.started = [f"{argv[0]} {path}" for argv in self._machine.ctx.started[before:]]


def test_file_is_locked_from_its_check_to_the_end_of_the_installer(
    installer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``tests/windows/test_write_lock.py`` tests the lock itself."""
    machine = Machine(tmp_path)
    holding = Holding(machine)
    monkeypatch.setattr(msi, "deny_writes", holding.deny_writes)
    install(machine, installer)
    assert holding.started == [f"powershell.exe {installer}", f"msiexec.exe {installer}"]


def test_file_that_is_being_written_is_not_installed(
    installer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str) -> None:
        raise PermissionError(13, "in use", path)

    machine = Machine(tmp_path)
    monkeypatch.setattr(msi, "deny_writes", refused)
    with pytest.raises(ActionError, match=r"InstallMSI: cannot open .*app's\.msi: "):
        install(machine, installer)
    assert machine.ctx.started == []


@pytest.mark.parametrize(
    ("exit_code", "reboot", "reboots"),
    [
        (0, "Allow", []),
        (0, "Force", [(0, False)]),
        (1614, "Allow", []),
        (1641, "Allow", [(0, False)]),
        (3010, "Allow", [(0, False)]),
        (3010, "Skip", []),
        (3010, "Force", [(0, False)]),
    ],
)
def test_reboot_follows_the_exit_code_and_the_input(
    installer: Path, tmp_path: Path, exit_code: int, reboot: str, reboots: list[tuple[int, bool]]
) -> None:
    machine = Machine(tmp_path, exit_code=exit_code)
    assert install(machine, installer, reboot=reboot).msiExitCode == exit_code
    assert machine.ctx.reboots == reboots


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [
        (1602, "the user canceled it"),
        (1603, "a fatal error"),
        (1605, "the product is not installed"),
        (1618, "another installation is running"),
        (1620, "the file is not an MSI file"),
        (4711, r"exit code 4711$"),
    ],
)
def test_other_exit_codes_fail_the_step(
    installer: Path, tmp_path: Path, exit_code: int, reason: str
) -> None:
    machine = Machine(tmp_path, exit_code=exit_code)
    with pytest.raises(ActionError, match=reason) as failure:
        install(machine, installer, reboot="Force")
    assert failure.value.process_exit_code == exit_code
    assert failure.value.hint == "set logFile to find out more"
    assert machine.ctx.reboots == []


@pytest.mark.parametrize("exit_code", [0, 1605, 1614, 1641, 3010])
def test_uninstalling_what_is_not_installed_is_a_success(
    installer: Path, tmp_path: Path, exit_code: int
) -> None:
    machine = Machine(tmp_path, exit_code=exit_code)
    outputs = uninstall_msi.run(MsiInputs(str(installer), reboot="Skip"), machine.ctx)
    assert outputs.msiExitCode == exit_code
    assert (machine.msiexec or ())[1] == "/x"


@pytest.mark.parametrize("path", ["s3://bucket/app.msi", "https://example.com/app.msi"])
def test_remote_files_are_an_error(path: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with pytest.raises(ActionError, match="supports only local files"):
        install_msi.run(MsiInputs(path), machine.ctx)


def test_missing_file_is_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with pytest.raises(ActionError, match=r"InstallMSI: .*none\.msi"):
        install(machine, tmp_path / "none.msi")
    assert machine.ctx.started == []
