"""Linux: ends the processes of a step: TERM, a grace period, KILL, until none is left.

``process_table`` finds them. A signal reaches exactly the intended process or none, as process IDs
are reused.
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
from awstoe.host.process.linux import one_file, process_table

assert sys.platform == "linux"

_FREEZE_ROUNDS: Final = 20
_CROWD: Final = 32
"""A process group of this size is signaled as a whole: one by one, a fork bomb would be faster."""
_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1


def send(process: process_table.Process, number: int) -> bool:
    """Send a signal to exactly this process; return whether we may (True if it has ended)."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # Linux before 5.3, or a sandbox without the call
        descriptor = -1
    try:
        present = process_table.look_up(process.pid)
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
    find: Callable[[], list[process_table.Process]],
    wait: Callable[[float], None],
    is_urgent: Callable[[], bool],
    fast_find: Callable[[], list[process_table.Process]] = list,
) -> list[process_table.Process]:
    """End all processes that ``find`` returns: TERM, the grace period, KILL.

    The grace period is longer if one of them is a single-file executable, as another awstoe is: it
    gives its own step the same period and then writes its records.

    Args:
        find: Returns the processes that still run; called repeatedly, as they may start others.
        wait: Waits up to this many seconds and keeps reading output.
        is_urgent: Whether to skip the rest of the grace period.
        fast_find: Returns some of them, so fast that a process which keeps forking and ending still
            exists when a signal reaches it.

    Returns:
        Those that still run: we have no right to end them, or the kernel cannot.
    """
    signaled: set[tuple[int, int]] = set()
    over = time.monotonic() + limits.TERM_GRACE_SECONDS
    prolonged = False
    seconds = _FIRST_WAIT
    while running := find():
        fresh = [process for process in running if (process.pid, process.start) not in signaled]
        signaled.update((process.pid, process.start) for process in fresh)
        _send_all(fresh, signal.SIGTERM)
        for process in running:
            if process.state == "T":  # stopped: it handles TERM only once it continues
                send(process, signal.SIGCONT)
        left = over - time.monotonic()
        if left <= 0 and not prolonged and not is_urgent() and one_file.bootloaders(running):
            prolonged = True
            left = limits.BOOTLOADER_SECONDS
            over += left
        if left <= 0 or is_urgent():
            return _kill(find, wait, fast_find)
        wait(min(seconds, left))
        seconds = min(seconds * 2, _LONGEST_WAIT)
    return []


def _kill(
    find: Callable[[], list[process_table.Process]],
    wait: Callable[[float], None],
    fast_find: Callable[[], list[process_table.Process]],
) -> list[process_table.Process]:
    frozen = _freeze(find, fast_find)
    bootloaders = one_file.bootloaders(frozen)
    if bootloaders:
        _kill_all_but(bootloaders, frozen, wait)
        frozen = find()
    protected = _send_all(frozen, signal.SIGKILL)
    # Counted from here: until now, many forking processes may have left us little CPU time.
    over = time.monotonic() + limits.KILL_SECONDS
    seconds = _FIRST_WAIT
    while True:
        running = find()
        if time.monotonic() >= over or all((p.pid, p.start) in protected for p in running):
            return running
        wait(seconds)
        seconds = min(seconds * 2, _LONGEST_WAIT)
        protected |= _send_all(fast_find(), signal.SIGKILL)
        protected |= _send_all(running, signal.SIGKILL)


def _kill_all_but(
    bootloaders: list[process_table.Process],
    frozen: list[process_table.Process],
    wait: Callable[[float], None],
) -> None:
    """Kill all but the bootloaders, which then remove what they unpacked."""
    spared = {(process.pid, process.start) for process in bootloaders}
    others = [process for process in frozen if (process.pid, process.start) not in spared]
    mixed = {process.group for process in bootloaders}
    _send_all(others, signal.SIGKILL, mixed)
    _send_all(bootloaders, signal.SIGCONT, mixed)
    over = time.monotonic() + limits.BOOTLOADER_SECONDS
    seconds = _FIRST_WAIT
    while time.monotonic() < over and any(map(_runs, bootloaders)):
        wait(seconds)
        seconds = min(seconds * 2, _LONGEST_WAIT)


def _runs(process: process_table.Process) -> bool:
    present = process_table.look_up(process.pid)
    return present is not None and present.start == process.start and not present.ended


def _freeze(
    find: Callable[[], list[process_table.Process]],
    fast_find: Callable[[], list[process_table.Process]],
) -> list[process_table.Process]:
    """Stop all processes, as one that forks faster than it is found would escape KILL forever."""
    stopped: set[tuple[int, int]] = set()
    running = find()
    for _ in range(process_table.MAX_SCANS):
        fresh = [item for item in fast_find() if (item.pid, item.start) not in stopped]
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
    processes: list[process_table.Process], number: int, mixed: Container[int] = ()
) -> set[tuple[int, int]]:
    """Send a signal to all of them, and to processes that join a crowded group meanwhile.

    A group belongs to one session, so it never holds processes of the step together with others.
    ``mixed`` groups hold processes that must not get the signal.

    Returns:
        Process IDs and start times of those we have no right to signal.
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


def end_orphans(
    leader: process_table.Identity, interruption: Interruption
) -> list[process_table.Process]:
    """End what still runs of a step whose awstoe died; return what could not be ended."""
    return end(lambda: process_table.orphans(leader), time.sleep, lambda: interruption.hard)
