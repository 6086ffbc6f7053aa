"""Copies the release trust, which the key ceremony wrote, into the sources of a build."""

import os
import shutil
import sys
from typing import Final

from awstoe_build.failure import BuildFailure

PLACE: Final = ("trust", "release")
"""The folder for the files, inside the package ``awstoe``."""
_NAMES: Final = ("trust.json", "root.json", "awstoe.gpg", "authenticode.pem", "timestamping.pem")
_REQUIRED: Final = _NAMES[:3]
_LARGEST: Final = 1_000_000
"""Limit in bytes. A real file has a few kilobytes."""


def copy(folder: str, destination: str) -> list[str]:
    """Check the files, copy them to the sources of the build, and return their names.

    Raises:
        BuildFailure: A file is missing, unknown or invalid, or cannot be checked.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise BuildFailure(
            f"cannot read TRUST={folder}: {error.strerror}",
            hint="set TRUST to the folder 'trust' that the key ceremony wrote",
        ) from error
    problems = [f"{name} is missing" for name in _REQUIRED if name not in names]
    for name in names:
        path = os.path.join(folder, name)
        if name not in _NAMES:
            problems.append(f"{name} does not belong there")
        elif os.path.islink(path) or not os.path.isfile(path):
            problems.append(f"{name} is not a regular file")
        elif os.path.getsize(path) > _LARGEST:
            problems.append(f"{name} has more than {_LARGEST:,} bytes")
    if problems:
        raise BuildFailure(
            f"TRUST={folder} is not a folder with release trust: {'; '.join(problems)}",
            hint=f"it must contain {', '.join(_REQUIRED)}, and may contain"
            f" {' and '.join(_NAMES[len(_REQUIRED) :])}",
        )
    try:
        # A build without TRUST also works where the product's dependencies are not installed.
        from awstoe.errors import TrustError  # noqa: PLC0415
        from awstoe.trust import release_trust  # noqa: PLC0415
    except ImportError as error:
        raise BuildFailure(
            f"cannot check TRUST={folder}: {error}",
            hint=f"run: {sys.executable} -m pip install cryptography",
        ) from error
    try:
        release_trust.read(folder)
    except TrustError as error:
        raise BuildFailure(
            f"TRUST={folder} is not valid: {error.message}",
            hint="write it again: run awstoe-signing trust --directory DIR",
        ) from error
    os.makedirs(destination)
    for name in names:
        shutil.copyfile(os.path.join(folder, name), os.path.join(destination, name))
    return names
