"""What InstallMSI and UninstallMSI have in common: they take the same inputs."""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import Boolean, Choice, LocalPath, Pattern, TextMap

# awstoe decides about reboots, and about what is installed again, itself.
_REFUSED = frozenset({"REBOOT", "REINSTALL", "REINSTALLMODE", "REBOOTPROMPT"})


class MsiInputs(NamedTuple):
    """The inputs of both."""

    path: Annotated[str, LocalPath("The MSI file.")]
    reboot: Annotated[str, Choice("When to reboot after success.", "Allow", "Force", "Skip")] = (
        "Allow"
    )
    log_options: Annotated[
        str,
        Pattern(
            "Flags of msiexec's /L option.",
            r"(?i)[iwearucmopvx+!*]+",
            "flags out of i w e a r u c m o p v x + ! *",
            name="logOptions",
        ),
    ] = "*VX"
    log_file: Annotated[
        str | None, LocalPath("The installer's log; without it none is kept.", name="logFile")
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
    """The outputs of both."""

    logFile: Annotated[str, "Where the installer's log is."]  # noqa: N815 - the output's name
    msiExitCode: Annotated[int, "The exit code of msiexec."]  # noqa: N815
    stdout: Annotated[str, "What msiexec wrote to standard output."]
