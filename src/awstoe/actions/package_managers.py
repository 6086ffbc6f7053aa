"""Installs updates with the package managers of Linux; not an action.

No package manager asks questions, and configuration files that were changed locally are kept.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from awstoe.actions.contract import ActionContext, Command, Result
from awstoe.actions.program import failure
from awstoe.errors import ActionError

_NAME: Final = "UpdateOS"
_LOCKED_SECONDS: Final = 600
"""How long another program may lock the packages: a new machine often updates itself first."""
_ASK_AGAIN_SECONDS: Final = 2.0
_QUIET: Final = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a")
_APT: Final = (
    *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={_LOCKED_SECONDS}"),
    *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
)
_APT_STRICT: Final = ("-o", "APT::Update::Error-Mode=any")
"""Without it, lists that could not be fetched are not an error, and updates would be missed."""
_APT_LISTS_ARE_LOCKED: Final = "/lists/lock"
"""In its message in any language. No option makes apt-get wait for this lock."""
_APT_INSTALLS: Final = re.compile(r"^Inst (\S+)", re.MULTILINE)
"""A package's name; for a foreign architecture, a colon and that architecture follow."""
_ZYPPER: Final = (
    *("env", f"ZYPP_LOCK_TIMEOUT={_LOCKED_SECONDS}"),
    *("zypper", "--non-interactive"),
)
_ZYPPER_UPDATES: Final = re.compile(r"<update\s[^>]*?\bname=\"([^\"]+)\"")
_ZYPPER_WANTS_REBOOT: Final = 102
_ZYPPER_UPDATED_ITSELF: Final = 103


class Wanted(NamedTuple):
    """Which packages to update: all if ``include`` is empty, without ``exclude``."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The included packages that are not excluded."""
        return [name for name in self.include if name not in self.exclude]


def find(is_there: Callable[[str], bool]) -> Callable[[Wanted, ActionContext], None] | None:
    """Return the function that updates with the first known package manager; None without one."""
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
        ctx.log.info(
            f"{_NAME}: another program is updating the package lists: waiting until it ends"
        )
        _pause(ctx)
        result = ctx.execute(Command(argv, logged_as=program))
    if result.exit_code not in good:
        raise failure(result, f"{_NAME}: {program} ended with exit code {result.exit_code}")
    return result


def _pause(ctx: ActionContext) -> None:
    over = time.monotonic() + _ASK_AGAIN_SECONDS
    while (left := over - time.monotonic()) > 0:
        ctx.checkpoint()
        time.sleep(min(left, 0.2))


def _listed(ctx: ActionContext, *argv: str) -> str:
    """Return what a package manager prints about what it would do, complete.

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
    ctx.log.info(f"{_NAME}: nothing to update except excluded packages")


def _apt(wanted: Wanted, ctx: ActionContext) -> None:
    for name in wanted.include:
        if name.endswith("-"):
            raise ActionError(f"{_NAME}: apt-get would remove a package for {name!r}")
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
            f"{_NAME}: other updates need these excluded packages: {', '.join(needed)}",
            hint="also exclude the packages that need them, or include only the ones you want",
        )
    _run(ctx, *upgrade, "install", "--", *names)


def _without(names: Iterable[str], exclude: Sequence[str]) -> list[str]:
    """Return ``names`` without the excluded ones, regardless of an architecture after a name."""
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
        # The first run only installed a newer zypper, which has to install the rest.
        _run(ctx, *update, good=good[:2])
