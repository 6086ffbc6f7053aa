"""UpdateOS: install the operating system's updates.

- All updates are installed by default. With `include`, only those; `exclude` is taken away from
  what is left. `inputs` may be left out.
- Linux: names of packages, for apt-get, dnf, yum or zypper, whichever is found first; needs root.
  Nothing is asked, licenses that zypper shows are agreed to, and configuration files that were
  changed stay. Whoever else installs packages is waited for; apt-get and zypper do so for ten
  minutes. With apt-get the step fails when an update needs an excluded package, and when a list of
  packages cannot be fetched.
- Windows: KB numbers, or patterns with `*` that match the titles of updates, from the update source
  the machine is set to; needs an administrator. Updates that ask questions are left out.
- It does not reboot: put a Reboot step behind it. On Windows the log says whether one is needed.
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
    """What UpdateOS is given."""

    include: Annotated[tuple[str, ...], TextList("The only updates to install.")] = ()
    exclude: Annotated[tuple[str, ...], TextList("Updates to leave out.")] = ()


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Install the updates.

    Raises:
        ActionError: There are no rights, no package manager, or it failed.
        TimeoutExceeded: The attempt's time is over.
        Interrupted: A signal asks the run to stop.
    """
    if not machine.is_administrator():
        raise ActionError(
            f"{_NAME}: only root or an administrator can install updates",
            hint="run awstoe with these rights",
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
            f"{_NAME}: there is no package manager that it knows",
            hint="apt-get, dnf, yum or zypper has to be in PATH",
        )
    update(package_managers.Wanted(inputs.include, inputs.exclude), ctx)


def _update_windows(inputs: Inputs, ctx: ActionContext) -> None:
    text = powershell.BYTE_ORDER_MARK + windows_update.script(inputs.include, inputs.exclude)
    printed = script.run_commands(_NAME, text, ".ps1", powershell.command, ctx)
    if windows_update.REBOOT_MARK in printed:
        ctx.log.warning(f"{_NAME}: {windows_update.REBOOT_MARK}")
