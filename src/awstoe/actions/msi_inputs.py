"""The inputs and outputs of InstallMSI and UninstallMSI."""

import re
from typing import Annotated, NamedTuple

from awstoe.actions.fields import (
    S3_URI,
    WEB_URL,
    Boolean,
    Choice,
    LocalPath,
    Pattern,
    TextMap,
)
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform

# awstoe itself decides about reboots and reinstallation.
_REFUSED = frozenset({"REBOOT", "REINSTALL", "REINSTALLMODE", "REBOOTPROMPT"})


class MsiPath(LocalPath):
    """A path on this machine, a URL or an S3 URI."""

    def parse(self, value: Value, platform: Platform) -> str:
        if self._is_remote(value):
            return self.text(value)
        return super().parse(value, platform)

    def convert(self, value: Value) -> str:
        return self.text(value) if self._is_remote(value) else super().convert(value)

    @staticmethod
    def _is_remote(value: Value) -> bool:
        return isinstance(value, str) and re.fullmatch(f"{WEB_URL}|{S3_URI}", value) is not None


class MsiInputs(NamedTuple):
    """The inputs of both actions."""

    path: Annotated[str, MsiPath("The MSI file.")]
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
