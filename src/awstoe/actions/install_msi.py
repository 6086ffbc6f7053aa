"""InstallMSI: install a Windows application from an MSI file.

- The file's Authenticode signature is checked first; `ignoreAuthenticodeSignatureErrors` accepts an
  invalid one, `allowUnsignedInstaller` a missing one. With both there is no check. Otherwise nobody
  can change the file until the installer has ended.
- Exit codes 0, 1614, 1641 and 3010 of the installer are a success.
- `reboot`: Allow reboots when the installer asks for it (1641, 3010), Force always after success,
  Skip never.
- The file lies on this machine: s3:// URIs and URLs are not in this version.
- `logFile` keeps the installer's log; its folders are made.
- Values of `properties` are passed to msiexec as they are, so double quotes have to be part of a
  value that needs them: `COMPANYNAME: '"Example Corp."'`. Spaces outside them are refused.
- The properties REBOOT, REBOOTPROMPT, REINSTALL and REINSTALLMODE are refused.
"""

from typing import Final

from awstoe.actions import msi
from awstoe.actions.contract import ActionContext
from awstoe.actions.msi_inputs import MsiInputs, MsiOutputs

EXAMPLE = r"""path: C:\installers\app.msi
logFile: C:\logs\app-install.log
logOptions: '*VX'
reboot: Allow
properties:
  COMPANYNAME: '"Example Corp."'
"""

Inputs = MsiInputs
Outputs = MsiOutputs

_SUCCESS: Final = frozenset({0, 1614, 1641, 3010})


def run(inputs: MsiInputs, ctx: ActionContext) -> MsiOutputs:
    """Install the application.

    Raises:
        ActionError: The file is missing, its signature is not accepted, or msiexec failed.
        TimeoutExceeded: The attempt's time is over.
        Interrupted: A signal asks the run to stop.
    """
    return msi.run("InstallMSI", "/i", _SUCCESS, inputs, ctx)
