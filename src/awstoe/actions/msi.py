"""Runs msiexec for InstallMSI and UninstallMSI: checks the signature first, may reboot afterwards.

Not an action itself.
"""

import os
import re
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from typing import Final

from awstoe.actions import powershell
from awstoe.actions.contract import ActionContext, Command, Result
from awstoe.actions.msi_inputs import MsiInputs, MsiOutputs
from awstoe.actions.program import failure
from awstoe.errors import ActionError, HostError, PermanentError
from awstoe.host.files import file_types, oserrors, temporary
from awstoe.host.files.write_lock import deny_writes
from awstoe.host.process.command_line import Verbatim

_WANTS_REBOOT: Final = frozenset({1641, 3010})
_MEANINGS: Final = {
    1602: "the user canceled it",
    1603: "a fatal error; see its log",
    1605: "the product is not installed",
    1612: "the source of the installation is not available",
    1618: "another installation is running",
    1619: "the file cannot be opened",
    1620: "the file is not an MSI file",
    1622: "its log cannot be opened",
    1625: "a policy of the system forbids it",
    1633: "it was built for another processor",
    1638: "another version of the product is already installed",
    1639: "the command line is not valid; check 'properties'",
}
_VALID: Final = "Valid"
_UNSIGNED: Final = "NotSigned"
_PROPERTY_VALUE: Final = re.compile(r'(?:[^\s"]|"[^"]*")*')
"""One value as msiexec parses it; spaces only between quotes."""
_STATUS: Final = "(Get-AuthenticodeSignature -LiteralPath {path}).Status.ToString()\n"


def run(
    action: str, switch: str, good: Collection[int], inputs: MsiInputs, ctx: ActionContext
) -> MsiOutputs:
    """Run msiexec on the file.

    Args:
        action: The action's name, for messages.
        switch: ``/i`` or ``/x``.
        good: Exit codes that mean success.
        inputs: The step's inputs.
        ctx: The run.

    Raises:
        ActionError: The file is missing, its signature is not accepted, or msiexec failed.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    path = _local(action, inputs.path)
    _check_properties(action, inputs)
    ctx.log.info(f"{action}: STARTED EXECUTION")
    try:
        with _accepted(action, path, inputs, ctx):
            argv = _argv(action, switch, path, inputs)
            result = ctx.execute(Command(argv, logged_as="msiexec.exe"))
    finally:
        ctx.log.info(f"{action}: FINISHED EXECUTION")
    _conclude(action, result, good, inputs)
    if inputs.reboot == "Force" or (inputs.reboot == "Allow" and result.exit_code in _WANTS_REBOOT):
        ctx.request_reboot(0, run_again=False)
    return MsiOutputs(inputs.log_file or "", result.exit_code, result.stdout)


def _local(action: str, path: str) -> str:
    """Return the file's absolute path: msiexec has its own folder for relative ones."""
    if "://" in path:
        raise PermanentError(
            f"{action}: this version supports only local files, got {path}",
            hint="download the file in an earlier step",
        )
    try:
        file_types.require_file(path)
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{action}: cannot read {path}: {reason}", hint=hint) from error
    except ActionError as error:
        raise ActionError(f"{action}: {error.message}", hint=error.hint) from error
    return os.path.abspath(path)


def _check_properties(action: str, inputs: MsiInputs) -> None:
    """Check that msiexec will parse each value as exactly one.

    Raises:
        ActionError: It will not.
    """
    for name, value in (inputs.properties or {}).items():
        if not _PROPERTY_VALUE.fullmatch(value):
            raise PermanentError(
                f"{action}: the value of the property {name} has spaces outside double quotes, or"
                " an unpaired double quote",
                hint="write it as '\"a value\"'; double a quote inside",
            )


@contextmanager
def _accepted(
    action: str, path: str, inputs: MsiInputs, ctx: ActionContext
) -> Generator[None, None, None]:
    """Check the file's signature, and keep other processes from changing the file.

    Raises:
        ActionError: The step does not accept the signature, or a process is writing the file.
    """
    if inputs.ignore_authenticode_signature_errors and inputs.allow_unsigned_installer:
        yield  # any signature is accepted
        return
    with ExitStack() as held:
        try:
            held.enter_context(deny_writes(path))
        except OSError as error:
            reason, hint = oserrors.explain(error)
            raise ActionError(f"{action}: cannot open {path}: {reason}", hint=hint) from error
        _check_signature(action, path, inputs, ctx)
        yield


def _check_signature(action: str, path: str, inputs: MsiInputs, ctx: ActionContext) -> None:
    """Check the file's signature with Windows.

    Raises:
        ActionError: The step does not accept it.
    """
    status = _status(path, ctx)
    if status == _UNSIGNED and not inputs.allow_unsigned_installer:
        raise ActionError(
            f"{action}: {path} is not signed",
            hint="set allowUnsignedInstaller to true to accept that",
        )
    if status not in {_VALID, _UNSIGNED} and not inputs.ignore_authenticode_signature_errors:
        raise ActionError(
            f"{action}: the signature of {path} is not valid: {status or 'no answer'}",
            hint="set ignoreAuthenticodeSignatureErrors to true to accept that",
        )


def _status(path: str, ctx: ActionContext) -> str:
    """Return the status from Get-AuthenticodeSignature; empty if it prints nothing."""
    folder = ctx.temporary_folder()
    try:
        text = powershell.BYTE_ORDER_MARK + _STATUS.format(path=powershell.quoted(path))
        script = temporary.write_script(folder, text, ".ps1")
        return ctx.execute(powershell.command(script)).stdout.strip()
    finally:
        try:
            ctx.remove_folder(folder)
        except HostError as error:
            ctx.log.warning(error.message)


def _argv(action: str, switch: str, path: str, inputs: MsiInputs) -> tuple[str, ...]:
    argv = ["msiexec.exe", switch, path, "/qn", "/norestart"]
    if inputs.log_file:
        argv += [f"/L{inputs.log_options}", _log_file(action, inputs.log_file)]
    # msiexec splits its command line by its own rules, and the quotes belong to the values.
    argv += [Verbatim(f"{name}={value}") for name, value in (inputs.properties or {}).items()]
    return (*argv, "REBOOT=ReallySuppress")


def _log_file(action: str, path: str) -> str:
    absolute = os.path.abspath(path)
    try:
        os.makedirs(os.path.dirname(absolute), exist_ok=True)
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(
            f"{action}: cannot make the folder of logFile {path}: {reason}", hint=hint
        ) from error
    return absolute


def _conclude(action: str, result: Result, good: Collection[int], inputs: MsiInputs) -> None:
    if result.exit_code in good:
        return
    meaning = _MEANINGS.get(result.exit_code)
    hint = f"see {inputs.log_file}" if inputs.log_file else "set logFile to find out more"
    message = f"{action}: msiexec ended with exit code {result.exit_code}"
    raise failure(result, message, hint=hint, meaning=meaning)
