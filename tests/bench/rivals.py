"""Installs the rivals from the package index into a virtual environment of their own below out/."""

import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = {
    "ansible-playbook": "ansible-core==2.19.*",
    "pyinfra": "pyinfra==3.10.*",
    "aws": "awscli==1.*",
}


class RivalMissing(Exception):
    """A rival cannot be installed on this machine."""


def installed(program: str, folder: Path) -> Path:
    """Return the path of ``program``; install it first if it is missing.

    Raises:
        RivalMissing: It cannot be installed, for example without a network.
    """
    binary = folder / "bin" / program
    if binary.exists():
        return binary
    try:
        if not (folder / "bin" / "python").exists():
            venv.create(folder, with_pip=True)
        sys.stderr.write(f"bench: installing {REQUIREMENTS[program]}\n")
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "-q", REQUIREMENTS[program]],
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise RivalMissing(
            f"{REQUIREMENTS[program]} could not be installed ({error}); its row is left out."
        ) from error
    return binary
