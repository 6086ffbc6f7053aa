"""The inputs and outputs of InstallMSI and UninstallMSI."""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import Boolean, Choice, LocalPath, Pattern, TextMap

# awstoe itself decides about reboots and reinstallation.
_REFUSED = frozenset({"REBOOT", "REINSTALL", "REINSTALLMODE", "REBOOTPROMPT"})


class MsiInputs(NamedTuple):
    """The inputs of both actions."""

    path: Annotated[str, LocalPath("The MSI file.")]
    reboot: Annotated[str, Choice("When to reboot after success.", "Allow", "Force", "Skip")] = (
        "Allow"
    )
    log_options: Annotated[
        str,
        Pattern(
            "Flags of msiexec's /L option.",
            r"(?i)[iwearucmopvx+!*]+",
            "one or more of the flags i w e a r u c m o p v x + ! *",
            name="logOptions",
        ),
    ] = "*VX"
    log_file: Annotated[
        str | None, LocalPath("The installer's log; default: no log.", name="logFile")
    ] = None
    properties: Annotated[
        dict[str, str] | None, TextMap("Properties for the installer.", refused=_REFUSED)
    ] = None
    ignore_authenticode_signature_errors: Annotated[
        bool,
        Boolean(
            "Whether an invalid signature is accepted.", name="ignoreAuthenticodeSignatureErrors"
        ),
    ] = False
    allow_unsigned_installer: Annotated[
        bool, Boolean("Whether a missing signature is accepted.", name="allowUnsignedInstaller")
    ] = False


class MsiOutputs(NamedTuple):
    """The outputs of both actions."""

    logFile: Annotated[str, "The path of the installer's log."]  # noqa: N815 - the output's name
    msiExitCode: Annotated[int, "The exit code of msiexec."]  # noqa: N815
    stdout: Annotated[str, "What msiexec wrote to standard output."]
