"""What InstallMSI and UninstallMSI do: look at the signature, run msiexec, see to the reboot.

Shared by the two. Not an action.
"""

import os
import re
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from typing import Final

from awstoe.actions import powershell
from awstoe.actions.contract import ActionContext, Command, Result
from awstoe.actions.msi_inputs import MsiInputs, MsiOutputs
from awstoe.errors import ActionError, HostError
from awstoe.host.files import file_types, oserrors, temporary
from awstoe.host.files.write_lock import deny_writes
from awstoe.host.process.command_line import Verbatim

_WANTS_REBOOT: Final = frozenset({1641, 3010})
_MEANINGS: Final = {
    1602: "the user cancelled it",
    1603: "a fatal error; its log says which",
    1605: "the product is not installed",
    1612: "the source of the installation is not available",
    1618: "another installation is running",
    1619: "the file cannot be opened",
    1620: "the file is no MSI file",
    1622: "its log cannot be opened",
    1625: "a policy of the system forbids it",
    1633: "it is made for another processor",
    1638: "another version of the product is installed already",
    1639: "the command line is wrong; look at 'properties'",
}
_VALID: Final = "Valid"
_UNSIGNED: Final = "NotSigned"
_PROPERTY_VALUE: Final = re.compile(r'(?:[^\s"]|"[^"]*")*')
"""What msiexec takes for one value; spaces only between quotes."""
_STATUS: Final = "(Get-AuthenticodeSignature -LiteralPath {path}).Status.ToString()\n"


def run(
    action: str, switch: str, good: Collection[int], inputs: MsiInputs, ctx: ActionContext
) -> MsiOutputs:
    """Run msiexec on the file.

    Args:
        action: The action's name, for messages.
        switch: What msiexec is to do: ``/i`` or ``/x``.
        good: Exit codes that are a success.
        inputs: What the step gives.
        ctx: The run.

    Raises:
        ActionError: The file is missing, its signature is not accepted, or msiexec failed.
        TimeoutExceeded: The attempt's time is over.
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
    """The file's absolute path: msiexec looks for others in a place of its own."""
    if "://" in path:
        raise ActionError(
            f"{action}: this version installs from files of this machine only, got {path}",
            hint="download the file in a step before",
        )
    try:
        file_types.require_file(path)
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{action}: cannot look at {path}: {reason}", hint=hint) from error
    except ActionError as error:
        raise ActionError(f"{action}: {error.message}", hint=error.hint) from error
    return os.path.abspath(path)


def _check_properties(action: str, inputs: MsiInputs) -> None:
    """Refuse a value that msiexec would take for more than one, or for less.

    Raises:
        ActionError: There is one.
    """
    for name, value in (inputs.properties or {}).items():
        if not _PROPERTY_VALUE.fullmatch(value):
            raise ActionError(
                f"{action}: the value of the property {name} has spaces outside double quotes, or a"
                " double quote without its pair",
                hint="write it as '\"a value\"'; a quote inside is doubled",
            )


@contextmanager
def _accepted(
    action: str, path: str, inputs: MsiInputs, ctx: ActionContext
) -> Generator[None, None, None]:
    """Check the file's signature, and see to it that the file stays what was checked.

    Raises:
        ActionError: The signature is not one that the step accepts, or the file is being written.
    """
    if inputs.ignore_authenticode_signature_errors and inputs.allow_unsigned_installer:
        yield  # whatever it is, it is accepted
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
    """Ask Windows about the file's signature.

    Raises:
        ActionError: It is not one that the step accepts.
    """
    status = _status(path, ctx)
    if status == _UNSIGNED and not inputs.allow_unsigned_installer:
        raise ActionError(
            f"{action}: {path} is not signed",
            hint="set allowUnsignedInstaller to true if that is to be accepted",
        )
    if status not in {_VALID, _UNSIGNED} and not inputs.ignore_authenticode_signature_errors:
        raise ActionError(
            f"{action}: the signature of {path} is not valid: {status or 'no answer'}",
            hint="set ignoreAuthenticodeSignatureErrors to true if that is to be accepted",
        )


def _status(path: str, ctx: ActionContext) -> str:
    """What Get-AuthenticodeSignature says; empty when it says nothing."""
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
    # msiexec cuts up its command line by rules of its own, to which the quotes of values belong.
    argv += [Verbatim(f"{name}={value}") for name, value in (inputs.properties or {}).items()]
    return (*argv, "REBOOT=ReallySuppress")


def _log_file(action: str, path: str) -> str:
    whole = os.path.abspath(path)
    try:
        os.makedirs(os.path.dirname(whole), exist_ok=True)
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{action}: no folder for logFile {path}: {reason}", hint=hint) from error
    return whole


def _conclude(action: str, result: Result, good: Collection[int], inputs: MsiInputs) -> None:
    if result.exit_code in good:
        return
    meaning = _MEANINGS.get(result.exit_code)
    hint = f"see {inputs.log_file}" if inputs.log_file else "give a logFile to find out more"
    raise ActionError(
        f"{action}: msiexec ended with exit code {result.exit_code}"
        + (f" ({meaning})" if meaning else ""),
        hint=hint,
        process_exit_code=result.exit_code,
        stderr_tail=result.stderr_tail,
    )
