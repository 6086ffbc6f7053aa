"""InstallMSI: install a Windows application from an MSI file.

- The file's Authenticode signature is checked first; `ignoreAuthenticodeSignatureErrors` accepts an
  invalid one, `allowUnsignedInstaller` a missing one. With both there is no check. Otherwise no
  process can change the file until the installer has ended.
- Exit codes 0, 1614, 1641 and 3010 of the installer are success.
- `reboot`: Allow reboots if the installer requests it (1641, 3010), Force always after success,
  Skip never.
- The file has to be on this machine: this version does not support s3:// URIs and URLs.
- `logFile` is the path of the installer's log; missing folders above it are created.
- Values of `properties` are passed to msiexec as they are, so a value that needs double quotes has
  to contain them: `COMPANYNAME: '"Example Corp."'`. Spaces outside quotes are errors.
- The properties REBOOT, REBOOTPROMPT, REINSTALL and REINSTALLMODE are not allowed.
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
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    return msi.run("InstallMSI", "/i", _SUCCESS, inputs, ctx)
