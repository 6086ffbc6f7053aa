"""Windows: starts a program in a job of its own, and explains why one cannot be started.

The program is created suspended and resumed inside its job, so that nothing it starts is outside.
It inherits three handles: a null device to read, and two pipes.
"""

import ctypes
import ntpath
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from awstoe.errors import HostError
from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files.oserrors import quoted
from awstoe.host.process import command_line, program_search, system_programs
from awstoe.host.process.windows import job as jobs
from awstoe.host.process.windows import pipes

assert sys.platform == "win32"

_CREATE_SUSPENDED: Final = 0x4
_CREATE_NEW_PROCESS_GROUP: Final = 0x200
_CREATE_UNICODE_ENVIRONMENT: Final = 0x400
_EXTENDED_STARTUPINFO_PRESENT: Final = 0x80000
_CREATE_NO_WINDOW: Final = 0x08000000
_STARTF_USESTDHANDLES: Final = 0x100
_HANDLE_LIST: Final = 0x20002
_GENERIC_READ: Final = 0x80000000
_SHARE_READ_WRITE: Final = 0x3
_OPEN_EXISTING: Final = 3

_REASONS: Final = {
    5: (
        "access is denied",
        "Check the permissions of the file and the policies of this machine.",
    ),
    32: ("another program has the file open", "Close that program, or wait until it ends."),
    193: (
        "it is not a program for this machine",
        "Run a script through its interpreter, an installer package through msiexec.",
    ),
    216: ("it was built for another processor", "Use a build for this machine's processor."),
    225: ("the virus scanner blocked it", "Check the virus scanner's log."),
    740: ("it requires administrator rights", "Run awstoe as an administrator."),
    1260: ("a policy of this machine forbids it", "Ask the administrator of the machine."),
    4551: ("a policy of this machine forbids it", "Ask the administrator of the machine."),
}
"""What CreateProcessW's error codes mean, and what to do."""


class Spawned(NamedTuple):
    """A running program, in a process group and a job of its own."""

    pid: int
    handle: int
    """Of its process; the owner closes it."""
    job: jobs.Job
    shares_console: bool
    """Whether Ctrl-Break can reach it."""
    stdout: pipes.Pipe
    stderr: pipes.Pipe


def spawn(argv: Sequence[str], environment: Mapping[str, str]) -> Spawned:
    """Start the program.

    Raises:
        HostError: It cannot be started.
    """
    program, line = _command(argv, environment)
    ends: list[pipes.Pipe] = []
    job = information = None
    try:
        ends += [pipes.Pipe()]
        ends += [pipes.Pipe()]
        job = jobs.Job()
        shares_console = kernel32.api.GetConsoleCP() != 0
        information = _create(program, line, environment, ends, shares_console=shares_console)
        try:
            job.take(information.process)
            kernel32.api.ResumeThread(information.thread)
        except OSError:
            kernel32.api.TerminateProcess(information.process, 1)
            raise
        finally:
            kernel32.api.CloseHandle(information.thread)
        for pipe in ends:
            pipe.close_writer()
            pipe.begin()
    except OSError as error:
        for pipe in ends:
            pipe.close()
        if job is not None:
            job.close()  # this ends what runs in it
        if information is not None:
            kernel32.api.CloseHandle(information.process)
        _explain(argv, error)
    return Spawned(information.process_id, information.process, job, shares_console, *ends)


def _command(argv: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the file to start and its command line.

    Raises:
        HostError: There is no such program, or no command line for these arguments.
    """
    if argv[0] in system_programs.NAMES:
        program = system_programs.find(argv[0], environment)
    else:
        program = program_search.find(argv[0], environment, os.path.isfile)
    if program is None:
        _raise_missing(argv[0], environment)
    program = os.path.abspath(program)
    try:
        if not program_search.is_batch_file(program):
            line, longest = command_line.of_program([program, *argv[1:]]), command_line.LONGEST
        else:
            interpreter = ntpath.join(kernel32.system_folder(), "cmd.exe")
            line = command_line.of_batch_file(interpreter, program, argv[1:])
            longest = command_line.LONGEST_OF_BATCH_FILE
            program = interpreter
    except ValueError as error:
        raise HostError(
            f"Cannot start {quoted(argv[0])}: an argument cannot be passed to a program ({error}).",
            hint="Pass it in a file.",
        ) from error
    if len(line) > longest:
        raise HostError(
            f"Cannot start {quoted(argv[0])}: its {len(argv) - 1} arguments are too long: the"
            f" command line has {len(line)} characters, {longest} are allowed.",
            hint="Pass long values in a file.",
        )
    return program, line


def _create(
    program: str,
    line: str,
    environment: Mapping[str, str],
    ends: Sequence[pipes.Pipe],
    *,
    shares_console: bool,
) -> kernel32.ProcessInformation:
    """Create the process, suspended.

    Raises:
        OSError: The system cannot start it.
    """
    null_device: int = kernel32.api.CreateFileW(
        "NUL",
        _GENERIC_READ,
        _SHARE_READ_WRITE,
        ctypes.byref(kernel32.inheritable()),
        _OPEN_EXISTING,
        0,
        None,
    )
    handles = (null_device, ends[0].writer, ends[1].writer)
    # If we have no console, it would get one of its own, with a window.
    console = 0 if shares_console else _CREATE_NO_WINDOW
    information = kernel32.ProcessInformation()
    try:
        with kernel32.AttributeList(_HANDLE_LIST, handles) as attributes:
            startup = kernel32.StartupInfoEx(
                size=ctypes.sizeof(kernel32.StartupInfoEx),
                flags=_STARTF_USESTDHANDLES,
                stdin=handles[0],
                stdout=handles[1],
                stderr=handles[2],
                attributes=attributes,
            )
            kernel32.api.CreateProcessW(
                program,
                ctypes.create_unicode_buffer(line),
                None,
                None,
                True,
                _CREATE_SUSPENDED
                | _CREATE_NEW_PROCESS_GROUP
                | _CREATE_UNICODE_ENVIRONMENT
                | _EXTENDED_STARTUPINFO_PRESENT
                | console,
                _block(environment),
                None,
                ctypes.byref(startup),
                ctypes.byref(information),
            )
    finally:
        kernel32.api.CloseHandle(null_device)
    return information


def _block(environment: Mapping[str, str]) -> "ctypes.Array[ctypes.c_wchar]":
    """Return the environment in the system's form: sorted by name in any case, two nulls last."""
    entries = sorted(environment.items(), key=lambda entry: entry[0].upper())
    return ctypes.create_unicode_buffer("".join(f"{k}={v}\0" for k, v in entries) + "\0")


def _explain(argv: Sequence[str], error: OSError) -> NoReturn:
    """Explain why a program could not be started.

    Raises:
        HostError: Always.
    """
    code = error.winerror or 0
    what, hint = _REASONS.get(code, (f"{(error.strerror or '').rstrip('.')} (error {code})", None))
    raise HostError(f"Cannot start {quoted(argv[0])}: {what}.", hint=hint) from error


def _raise_missing(program: str, environment: Mapping[str, str]) -> NoReturn:
    """Explain that there is no such program.

    Raises:
        HostError: Always.
    """
    hint: str | None = "Check the path."
    if program_search.has_folder(program):
        if os.path.isdir(program):
            what, hint = "it is a folder", "Use the path of a program in it."
        else:
            place = "" if os.path.isabs(program) else f" in {os.getcwd()}"
            what = f"there is no such file{place}"
    else:
        path = program_search.lookup(environment, "PATH") or ""
        what = f"there is no such program in PATH ({path})"
        here = next(filter(os.path.isfile, program_search.candidates(program, environment)), None)
        hint = "Install it, or use its full path."
        if here is not None:
            hint = rf"There is one in the working directory, which is not searched: use .\{here}"
    raise HostError(f"Cannot start {quoted(program)}: {what}.", hint=hint)
