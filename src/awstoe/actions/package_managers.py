"""How the package managers of Linux install updates. Not an action.

None of them is asked anything, and configuration files that were changed by hand stay as they are.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from awstoe.actions.contract import ActionContext, Command, Result
from awstoe.errors import ActionError

_NAME: Final = "UpdateOS"
_LOCKED_SECONDS: Final = 600
"""How long another program may keep the packages locked: a new machine updates itself at first."""
_ASK_AGAIN_SECONDS: Final = 2.0
_QUIET: Final = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a")
_APT: Final = (
    *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={_LOCKED_SECONDS}"),
    *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
)
_APT_STRICT: Final = ("-o", "APT::Update::Error-Mode=any")
"""Otherwise lists that could not be fetched are no error: old updates would count as all."""
_APT_LISTS_ARE_LOCKED: Final = "/lists/lock"
"""In its message of any language. For this lock it does not wait, whatever the options say."""
_APT_INSTALLS: Final = re.compile(r"^Inst (\S+)", re.MULTILINE)
"""A package's name; one for another architecture than the machine's has that behind a colon."""
_ZYPPER: Final = (
    *("env", f"ZYPP_LOCK_TIMEOUT={_LOCKED_SECONDS}"),
    *("zypper", "--non-interactive"),
)
_ZYPPER_UPDATES: Final = re.compile(r"<update\s[^>]*?\bname=\"([^\"]+)\"")
_ZYPPER_WANTS_REBOOT: Final = 102
_ZYPPER_UPDATED_ITSELF: Final = 103


class Wanted(NamedTuple):
    """Which packages to update: all when ``include`` is empty, less ``exclude``."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """What was asked for by name and not excluded."""
        return [name for name in self.include if name not in self.exclude]


def find(is_there: Callable[[str], bool]) -> Callable[[Wanted, ActionContext], None] | None:
    """What installs updates here, by the first package manager of these; None without one."""
    known: dict[str, Callable[[Wanted, ActionContext], None]] = {
        "apt-get": _apt,
        "dnf": lambda wanted, ctx: _rpm("dnf", "upgrade", wanted, ctx),
        "yum": lambda wanted, ctx: _rpm("yum", "update", wanted, ctx),
        "zypper": _zypper,
    }
    return next((update for name, update in known.items() if is_there(name)), None)


def _run(ctx: ActionContext, *argv: str, good: Collection[int] = (0,)) -> Result:
    program = next(word for word in argv if word != "env" and "=" not in word)
    over = time.monotonic() + _LOCKED_SECONDS
    result = ctx.execute(Command(argv, logged_as=program))
    while _APT_LISTS_ARE_LOCKED in result.stderr_tail and result.exit_code not in good:
        if time.monotonic() >= over:
            break
        ctx.log.info(f"{_NAME}: another program updates the lists of packages: waiting for its end")
        _pause(ctx)
        result = ctx.execute(Command(argv, logged_as=program))
    if result.exit_code not in good:
        raise ActionError(
            f"{_NAME}: {program} ended with exit code {result.exit_code}",
            process_exit_code=result.exit_code,
            stderr_tail=result.stderr_tail,
        )
    return result


def _pause(ctx: ActionContext) -> None:
    over = time.monotonic() + _ASK_AGAIN_SECONDS
    while (left := over - time.monotonic()) > 0:
        ctx.checkpoint()
        time.sleep(min(left, 0.2))


def _listed(ctx: ActionContext, *argv: str) -> str:
    """What a package manager prints about what it would do: all of it, or updates would be missed.

    Raises:
        ActionError: It failed, or its output was cut.
    """
    result = _run(ctx, *argv)
    if result.stdout_is_cut:
        raise ActionError(
            f"{_NAME}: the list of updates is longer than the limit for outputs",
            hint="raise AWSTOE_STDOUT_LIMIT (bytes)",
        )
    return result.stdout


def _nothing(ctx: ActionContext) -> None:
    ctx.log.info(f"{_NAME}: there is nothing to update but what is excluded")


def _apt(wanted: Wanted, ctx: ActionContext) -> None:
    for name in wanted.include:
        if name.endswith("-"):
            raise ActionError(f"{_NAME}: to apt-get {name!r} means to remove a package")
    _run(ctx, *_QUIET, *_APT, *_APT_STRICT, "update")
    if not wanted.include and not wanted.exclude:
        _run(ctx, *_QUIET, *_APT, "--with-new-pkgs", "upgrade")
        return
    names = wanted.names
    if not wanted.include:
        planned = _listed(ctx, *_QUIET, *_APT, "--simulate", "--with-new-pkgs", "upgrade")
        names = _without(_APT_INSTALLS.findall(planned), wanted.exclude)
    if not names:
        _nothing(ctx)
        return
    upgrade = (*_QUIET, *_APT, "--only-upgrade")
    planned = _listed(ctx, *upgrade, "--simulate", "install", "--", *names)
    installs = _APT_INSTALLS.findall(planned)
    needed = sorted(set(installs) - set(_without(installs, wanted.exclude)))
    if needed:
        raise ActionError(
            f"{_NAME}: other updates need these packages, which are excluded: {', '.join(needed)}",
            hint="exclude the packages that need them too, or include the ones you want",
        )
    _run(ctx, *upgrade, "install", "--", *names)


def _without(names: Iterable[str], exclude: Sequence[str]) -> list[str]:
    """``names`` without those excluded, whatever the architecture behind a name."""
    return [name for name in names if name not in exclude and name.partition(":")[0] not in exclude]


def _rpm(program: str, verb: str, wanted: Wanted, ctx: ActionContext) -> None:
    if wanted.include and not wanted.names:
        _nothing(ctx)
        return
    left_out = [f"--exclude={name}" for name in wanted.exclude]
    _run(ctx, program, "-y", *left_out, verb, *wanted.names)


def _zypper(wanted: Wanted, ctx: ActionContext) -> None:
    _run(ctx, *_ZYPPER, "refresh")
    names = wanted.names
    if wanted.exclude and not wanted.include:
        listed = _listed(ctx, *_ZYPPER, "--xmlout", "list-updates")
        names = _without(_ZYPPER_UPDATES.findall(listed), wanted.exclude)
    if not names and (wanted.include or wanted.exclude):
        _nothing(ctx)
        return
    update = (*_ZYPPER, "update", "--auto-agree-with-licenses", *(["--", *names] if names else []))
    good = (0, _ZYPPER_WANTS_REBOOT, _ZYPPER_UPDATED_ITSELF)
    if _run(ctx, *update, good=good).exit_code == _ZYPPER_UPDATED_ITSELF:
        # The first run installed a newer zypper, and left the rest to that one.
        _run(ctx, *update, good=good[:2])
