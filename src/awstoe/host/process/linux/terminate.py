"""Linux: ends the processes of a step: TERM, a grace period, KILL, until none is left.

Which processes these are is ``process_tree_linux``'s business. A signal reaches exactly the process
it is meant for, or nobody: ids are given out again.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Container
from typing import Final

from awstoe import limits
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.linux import one_file as single_files
from awstoe.host.process.linux import process_table as tree

assert sys.platform == "linux"

_FREEZE_ROUNDS: Final = 20
_CROWD: Final = 32
"""A process group with so many members is signalled as one: one by one, a fork bomb is faster."""
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.1


def send(process: tree.Process, number: int) -> bool:
    """Send a signal to exactly this process; whether we may (one that is gone does not mind)."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # Linux before 5.3, or a sandbox without the call
        descriptor = -1
    try:
        present = tree.look_up(process.pid)
        if present is None or present.start != process.start:
            return True
        if descriptor == -1:
            os.kill(process.pid, number)
        else:
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    finally:
        if descriptor != -1:
            os.close(descriptor)
    return True


def end(
    find: Callable[[], list[tree.Process]],
    pause: Callable[[float], None],
    hurried: Callable[[], bool],
    close_by: Callable[[], list[tree.Process]] = list,
) -> list[tree.Process]:
    """End all processes that ``find`` finds: TERM, the grace period, KILL.

    With a single file among them, another awstoe, the grace is longer: that one grants its own step
    the same and has its records to write then.

    Args:
        find: The processes that still run; asked again and again, as they may start others.
        pause: Waits so many seconds, or less when something happened; keeps reading output.
        hurried: Whether to leave out the rest of the grace period.
        close_by: Some of them, found so fast that one which forks and ends all the time is still
            there when a signal reaches it.

    Returns:
        Those that run on: we have no right to end them, or the kernel cannot.
    """
    told: set[tuple[int, int]] = set()
    over = time.monotonic() + limits.TERM_GRACE_SECONDS
    prolonged = False
    seconds = _FIRST_PAUSE
    while running := find():
        fresh = [process for process in running if (process.pid, process.start) not in told]
        told.update((process.pid, process.start) for process in fresh)
        _send_all(fresh, signal.SIGTERM)
        for process in running:
            if process.state == "T":  # stopped: it acts on TERM only when it goes on
                send(process, signal.SIGCONT)
        left = over - time.monotonic()
        if left <= 0 and not prolonged and not hurried() and single_files.bootloaders(running):
            prolonged = True
            left = limits.SINGLE_FILE_SECONDS
            over += left
        if left <= 0 or hurried():
            return _kill(find, pause, close_by)
        pause(min(seconds, left))
        seconds = min(seconds * 2, _LONGEST_PAUSE)
    return []


def _kill(
    find: Callable[[], list[tree.Process]],
    pause: Callable[[float], None],
    close_by: Callable[[], list[tree.Process]],
) -> list[tree.Process]:
    frozen = _freeze(find, close_by)
    boot_loaders = single_files.bootloaders(frozen)
    if boot_loaders:
        _kill_all_but(boot_loaders, frozen, pause)
        frozen = find()
    protected = _send_all(frozen, signal.SIGKILL)
    # Counted from here: many processes that fork leave us little of the processor until now.
    over = time.monotonic() + limits.KILL_SECONDS
    seconds = _FIRST_PAUSE
    while True:
        running = find()
        if time.monotonic() >= over or all((p.pid, p.start) in protected for p in running):
            return running
        pause(seconds)
        seconds = min(seconds * 2, _LONGEST_PAUSE)
        protected |= _send_all(close_by(), signal.SIGKILL)
        protected |= _send_all(running, signal.SIGKILL)


def _kill_all_but(
    boot_loaders: list[tree.Process], frozen: list[tree.Process], pause: Callable[[float], None]
) -> None:
    """Kill programs of single files and all others; their boot loaders remove their files then."""
    spared = {(process.pid, process.start) for process in boot_loaders}
    others = [process for process in frozen if (process.pid, process.start) not in spared]
    mixed = {process.group for process in boot_loaders}
    _send_all(others, signal.SIGKILL, mixed)
    _send_all(boot_loaders, signal.SIGCONT, mixed)
    over = time.monotonic() + limits.SINGLE_FILE_SECONDS
    seconds = _FIRST_PAUSE
    while time.monotonic() < over and any(map(_runs, boot_loaders)):
        pause(seconds)
        seconds = min(seconds * 2, _LONGEST_PAUSE)


def _runs(process: tree.Process) -> bool:
    present = tree.look_up(process.pid)
    return present is not None and present.start == process.start and not present.ended


def _freeze(
    find: Callable[[], list[tree.Process]], close_by: Callable[[], list[tree.Process]]
) -> list[tree.Process]:
    """Stop them all first: one that forks faster than it is found would escape KILL for ever."""
    stopped: set[tuple[int, int]] = set()
    running = find()
    for _ in range(tree.MOST_LOOKS):
        fresh = [item for item in close_by() if (item.pid, item.start) not in stopped]
        if not fresh:
            break
        stopped.update((process.pid, process.start) for process in fresh)
        _send_all(fresh, signal.SIGSTOP)
    for _ in range(_FREEZE_ROUNDS):
        fresh = [process for process in running if (process.pid, process.start) not in stopped]
        if not fresh:
            break
        stopped.update((process.pid, process.start) for process in fresh)
        _send_all(fresh, signal.SIGSTOP)
        running = find()
    return running


def _send_all(
    processes: list[tree.Process], number: int, mixed: Container[int] = ()
) -> set[tuple[int, int]]:
    """Send a signal to all of them, and to what joins a crowded group meanwhile.

    A group belongs to one session, so it never holds both processes of the step and others. Those
    that are ``mixed`` hold some that are to be spared.

    Returns:
        Process ids and start times of those we have no right to signal.
    """
    groups: dict[int, int] = {}
    for process in processes:
        groups[process.group] = groups.get(process.group, 0) + 1
    crowded = {group for group, size in groups.items() if size >= _CROWD and group not in mixed}
    for group in crowded:
        with contextlib.suppress(OSError):
            os.killpg(group, number)
    return {
        (process.pid, process.start)
        for process in processes
        if process.group not in crowded and not send(process, number)
    }


def end_orphans(leader: tree.Identity, interruption: Interruption) -> list[tree.Process]:
    """End what still runs of a step whose awstoe died; gives what could not be ended."""
    return end(lambda: tree.orphans(leader), time.sleep, lambda: interruption.hard)
