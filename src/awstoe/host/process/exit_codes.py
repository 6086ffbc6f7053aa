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

    def meaning(exit_code: int) -> str | None:
        """Return what ended the program, if the exit code says so."""
        status = _STATUSES.get(exit_code)
        return f"0x{exit_code:08X}: {status[0]}" if status else None

    def hint(exit_code: int) -> str | None:
        """Return what to do about it, if there is something."""
        return _STATUSES.get(exit_code, ("", None))[1]


else:
    import signal

    _SIGNAL_OFFSET: Final = 128
    """Shells report a program that signal N ended as 128 + N, and so do we."""

    def meaning(exit_code: int) -> str | None:
        """Return what ended the program, if the exit code says so."""
        try:
            return f"signal {signal.Signals(exit_code - _SIGNAL_OFFSET).name}"
        except ValueError:
            return None

    def hint(exit_code: int) -> str | None:
        """Return what to do about it, if there is something."""
        if exit_code == _SIGNAL_OFFSET + signal.SIGKILL:
            return "The system often kills a program when it runs out of memory: check dmesg."
        return None
