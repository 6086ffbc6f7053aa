"""UpdateOS: install the operating system's updates.

- All updates are installed by default. With `include`, only those are installed. Updates in
  `exclude` are skipped. `inputs` is optional.
- Linux: names of packages, for the first of apt-get, dnf, yum and zypper that exists; needs root.
  There are no questions, licenses that zypper shows are accepted, and changed configuration files
  are kept. The step waits while another program installs packages; with apt-get and zypper for up
  to ten minutes. With apt-get, the step fails if an update needs an excluded package, or if a
  package list cannot be fetched.
- Windows: KB numbers, or patterns with `*` for the titles of updates, from the machine's update
  source; needs an administrator. Updates that ask questions are skipped.
- It does not reboot: add a Reboot step after it. On Windows, the log shows whether one is needed.
"""

from typing import Annotated, Final, NamedTuple

from awstoe.actions import package_managers, powershell, script, windows_update
from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import TextList
from awstoe.errors import ActionError
from awstoe.host import machine
from awstoe.host.platforms import Platform, current

EXAMPLE = """\
exclude:
  - ec2-hibinit-agent
"""

_NAME: Final = "UpdateOS"


class Inputs(NamedTuple):
    """The inputs of UpdateOS."""

    include: Annotated[tuple[str, ...], TextList("The only updates to install.")] = ()
    exclude: Annotated[tuple[str, ...], TextList("Updates to skip.")] = ()


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Install the updates.

    Raises:
        ActionError: The rights or a package manager are missing, or the update failed.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    if not machine.is_administrator():
        raise ActionError(
            f"{_NAME}: only root or an administrator can install updates",
            hint="run awstoe as root or an administrator",
        )
    if current() is Platform.WINDOWS:
        _update_windows(inputs, ctx)
    else:
        _update_linux(inputs, ctx)


def _update_linux(inputs: Inputs, ctx: ActionContext) -> None:
    for name in (*inputs.include, *inputs.exclude):
        if not name or name.startswith("-") or any(sign.isspace() for sign in name):
            raise ActionError(f"{_NAME}: expected the name of a package, got {name!r}")
    update = package_managers.find(machine.HostMachine().binary_exists)
    if update is None:
        raise ActionError(
            f"{_NAME}: no supported package manager was found",
            hint="check that apt-get, dnf, yum or zypper is in PATH",
        )
    update(package_managers.Wanted(inputs.include, inputs.exclude), ctx)


def _update_windows(inputs: Inputs, ctx: ActionContext) -> None:
    text = powershell.BYTE_ORDER_MARK + windows_update.script(inputs.include, inputs.exclude)
    printed = script.run_commands(_NAME, text, ".ps1", powershell.command, ctx)
    if windows_update.REBOOT_MARK in printed:
        ctx.log.warning(f"{_NAME}: {windows_update.REBOOT_MARK}")
