"""What a program's exit code says about how it ended, besides success or failure."""

import sys
from typing import Final

if sys.platform == "win32":
    # A program that crashes exits with the system's status (NTSTATUS).
    _STATUSES: Final[dict[int, tuple[str, str | None]]] = {
        0xC0000005: ("it crashed: access violation", None),
        0xC0000017: ("the system ran out of memory", "Free some memory, or use a larger machine."),
        0xC000001D: (
            "it crashed: illegal instruction",
            "Use a build for this machine's processor.",
        ),
        0xC0000094: ("it crashed: division by zero", None),
        0xC00000FD: ("it crashed: stack overflow", None),
        0xC0000135: ("a DLL it needs is missing", "Install what it depends on."),
        0xC0000139: ("a DLL it needs has another version", "Install what it depends on."),
        0xC000013A: ("ended by Ctrl-C or Ctrl-Break", None),
        0xC0000142: ("a DLL it needs could not start", None),
        0xC0000374: ("it crashed: heap corruption", None),
        0xC0000409: ("it crashed: it detected memory corruption", None),
        0xC06D007E: ("a DLL it needs is missing", "Install what it depends on."),
        0xE0434352: ("it crashed: an unhandled .NET exception", None),
    }

    def meaning(exit_code: int, *, by_signal: bool = False) -> str | None:
        """Return what ended the program, if that is certain."""
        del by_signal
        status = _STATUSES.get(exit_code)
        return f"0x{exit_code:08X}: {status[0]}" if status else None

    def guess(exit_code: int) -> str | None:
        """Return what the program may mean by its exit code, if there is a convention."""
        del exit_code
        return None

    def hint(exit_code: int, *, out_of_memory: bool | None = None) -> str | None:
        """Return what to do about it, if there is something."""
        del out_of_memory
        return _STATUSES.get(exit_code, ("", None))[1]


else:
    import signal

    _SIGNAL_OFFSET: Final = 128
    """Shells report a program that signal N ended as 128 + N, and so do we."""
    _TIMED_OUT: Final = 124
    _CANNOT_RUN: Final = 126
    _NOT_FOUND: Final = 127
    _DO_NOT_END: Final = frozenset(
        {
            *(signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH),
            *(signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
        }
    )

    def meaning(exit_code: int, *, by_signal: bool = False) -> str | None:
        """Return what ended the program, if that is certain.

        Args:
            exit_code: The exit code; 128 + N if signal N ended the program.
            by_signal: Whether a signal ended the program itself.
        """
        name = _signal(exit_code)
        return f"signal {name}" if by_signal and name else None

    def guess(exit_code: int) -> str | None:
        """Return what the program may mean by its exit code.

        A shell ends with these codes if its last command did, but any program may use them: git
        ends with 129 if its options are wrong.
        """
        if exit_code == _TIMED_OUT:
            return "perhaps because the program 'timeout' ended a command in it"
        if exit_code == _CANNOT_RUN:
            return "perhaps because a command cannot be executed"
        if exit_code == _NOT_FOUND:
            return "perhaps because a command was not found"
        name = _signal(exit_code)
        return f"perhaps because signal {name} ended a command in it" if name else None

    def hint(exit_code: int, *, out_of_memory: bool | None = None) -> str | None:
        """Return what to do about it, if there is something.

        Args:
            exit_code: The exit code; 128 + N if signal N ended the program.
            out_of_memory: Whether the system has ended processes of this run for lack of memory;
                None if unknown.
        """
        if exit_code != _SIGNAL_OFFSET + signal.SIGKILL:
            return None
        if out_of_memory:
            return (
                "The system ended a process for lack of memory during this run: use a larger"
                " machine, or raise the memory limit."
            )
        if out_of_memory is None:
            return "The system often kills a program when it runs out of memory: check dmesg."
        return None

    def _signal(exit_code: int) -> str | None:
        """Return the name of the signal in 128 + N, if it can end a program."""
        try:
            found = signal.Signals(exit_code - _SIGNAL_OFFSET)
        except ValueError:
            return None
        return None if found in _DO_NOT_END else found.name
