"""Runs the real gpg and Sequoia. gpg has keys of its own, and the test sets its clock."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

GPG = shutil.which("gpg")
SQ = shutil.which("sq")


class Gpg:
    """gpg with a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(
        self, *arguments: str | Path, now: int | None = None, data: bytes = b""
    ) -> "subprocess.CompletedProcess[bytes]":
        assert GPG
        clock = () if now is None else ("--faked-system-time", f"{now}!")
        options = ("--batch", "--no-tty", "--quiet", "--trust-model", "always", "--status-fd", "2")
        return subprocess.run(
            [GPG, "--homedir", self.home, *options, *clock, *arguments],
            input=data,
            capture_output=True,
            timeout=120,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )

    def take(self, keys: bytes, now: int | None = None) -> None:
        """Import public keys; gpg may reject some of them."""
        self.run("--import", now=now, data=keys)

    def accepts(self, signature: Path, file: Path, now: int | None = None) -> bool:
        """Return whether a signature is good. gpg's exit code ignores that its key is revoked."""
        result = self.run("--verify", signature, file, now=now)
        return result.returncode == 0 and b" REVKEYSIG " not in result.stderr

    def make_key(self, user: str, algorithm: str, usage: str, expiry: str = "5y") -> str:
        """Create a key, and return its fingerprint."""
        options = ("--passphrase", "", "--pinentry-mode", "loopback")
        created = self.run(*options, "--quick-gen-key", user, algorithm, usage, expiry)
        assert created.returncode == 0, created.stderr.decode()
        status = created.stderr.decode().split()
        return status[status.index("KEY_CREATED") + 2]

    def export(self, *options: str) -> bytes:
        return self.run(*options, "--export").stdout


@contextmanager
def gpg() -> Iterator[Gpg]:
    """Return gpg with an empty home folder, and end the agent that it starts."""
    # Its sockets need a short path; those of pytest's folders are too long.
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        home = Path(folder)
        home.chmod(0o700)
        try:
            yield Gpg(home)
        finally:
            command = ["gpgconf", "--homedir", folder, "--kill", "gpg-agent"]
            subprocess.run(command, capture_output=True, timeout=60, check=False)


def sq(arguments: Sequence[str | Path]) -> "subprocess.CompletedProcess[bytes]":
    assert SQ
    return subprocess.run(
        [SQ, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
    )
