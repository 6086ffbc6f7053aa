"""Gets the passphrase of a key file: from a prompt, an environment variable or a file.

Never from an argument: all users of a machine can see arguments, and the shell stores them.
"""

import getpass
import os
import stat
import sys
from typing import Final

from awstoe_signing.failure import SigningFailure

VARIABLE: Final = "AWSTOE_SIGNING_PASSPHRASE"
FILE_VARIABLE: Final = "AWSTOE_SIGNING_PASSPHRASE_FILE"
_LEAST_CHARACTERS: Final = 12
_FILE_BYTES: Final = 4096


def existing(name: str, rehearsal_file: str = "") -> bytes:
    """Return the passphrase that opens a key file.

    Args:
        name: The key's name, for the prompt.
        rehearsal_file: The passphrase file of a rehearsal; missing for real keys.

    Raises:
        SigningFailure: There is no passphrase, and no terminal for the prompt.
    """
    found = _from_environment(rehearsal_file)
    if found is None:
        found = _ask(f"Passphrase of {name}: ", name)
    return found


def new(name: str, rehearsal_file: str = "") -> bytes:
    """Return the passphrase for a new key file. At the prompt, the user types it twice.

    Args:
        name: The key's name, for the prompt.
        rehearsal_file: The passphrase file of a rehearsal; missing for real keys.

    Raises:
        SigningFailure: There is no passphrase, it is too short, or the two differ.
    """
    found = _from_environment(rehearsal_file)
    if found is None:
        found = _ask(f"New passphrase for {name}: ", name)
        if _ask("Repeat it: ", name) != found:
            raise SigningFailure("the two passphrases differ: no key was made")
    if len(found) < _LEAST_CHARACTERS:
        raise SigningFailure(
            f"the passphrase for {name} has {len(found)} bytes; expected {_LEAST_CHARACTERS} or"
            " more",
            hint="use six random words: they are long enough, and can be remembered",
        )
    return found


def _from_environment(rehearsal_file: str) -> bytes | None:
    text, path = os.environ.get(VARIABLE), os.environ.get(FILE_VARIABLE)
    if text and path:
        raise SigningFailure(f"{VARIABLE} and {FILE_VARIABLE} are both set: expected only one")
    if text:
        return os.fsencode(text)
    if not path and os.path.exists(rehearsal_file):
        path = rehearsal_file
    return _from_file(path) if path else None


def _from_file(path: str) -> bytes:
    """Return the first line of a file that other users cannot read."""
    try:
        with open(path, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(_FILE_BYTES + 1)
    except OSError as error:
        raise SigningFailure(f"{FILE_VARIABLE}: {path}: {error.strerror}") from error
    if sys.platform != "win32" and stat.S_ISREG(mode) and mode & 0o077:
        raise SigningFailure(
            f"{FILE_VARIABLE}: {path} can be read by other users", hint=f"run: chmod 600 {path}"
        )
    line = data.splitlines()[0] if data else b""
    if not line or len(data) > _FILE_BYTES:
        raise SigningFailure(f"{FILE_VARIABLE}: expected one line with the passphrase in {path}")
    return line


def _ask(prompt: str, name: str) -> bytes:
    if not sys.stdin.isatty():
        raise SigningFailure(
            f"there is no passphrase for {name}, and no terminal for a prompt",
            hint=f"set {FILE_VARIABLE} to the path of a file with it, or {VARIABLE} to it",
        )
    try:
        typed = os.fsencode(getpass.getpass(prompt))
    except EOFError as error:
        raise SigningFailure(f"no passphrase for {name} was typed") from error
    if not typed:
        raise SigningFailure(f"no passphrase for {name} was typed")
    return typed
