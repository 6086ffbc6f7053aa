"""The files of a release's trust that a build bakes in: those of the key ceremony's folder."""

import os
import shutil
import sys
from typing import Final

from awstoe_build.failure import BuildFailure

PLACE: Final = ("trust", "release")
"""Where they lie in the package ``awstoe``."""
_NAMES: Final = ("trust.json", "root.json", "awstoe.gpg", "authenticode.pem", "timestamping.pem")
_REQUIRED: Final = _NAMES[:3]
_LARGEST: Final = 1_000_000
"""Bytes. Each is some kilobytes; a larger one is something else."""


def copy(folder: str, place: str) -> list[str]:
    """Copy the files into the sources that are frozen; gives their names.

    Raises:
        BuildFailure: The folder has something else, lacks something, or would not be understood;
            or that cannot be found out.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise BuildFailure(
            f"TRUST={folder} cannot be read: {error.strerror}",
            hint="name the folder 'trust' that the key ceremony made",
        ) from error
    problems = [f"{name} is missing" for name in _REQUIRED if name not in names]
    for name in names:
        path = os.path.join(folder, name)
        if name not in _NAMES:
            problems.append(f"{name} does not belong there")
        elif os.path.islink(path) or not os.path.isfile(path):
            problems.append(f"{name} is no plain file")
        elif os.path.getsize(path) > _LARGEST:
            problems.append(f"{name} has more than {_LARGEST:,} bytes")
    if problems:
        raise BuildFailure(
            f"TRUST={folder} is no folder of release trust: {'; '.join(problems)}",
            hint=f"it has {', '.join(_NAMES)}; the last two may be missing",
        )
    try:
        # Builds without keys are made where the program's packages are not.
        from awstoe.errors import TrustError  # noqa: PLC0415
        from awstoe.trust import release_trust  # noqa: PLC0415
    except ImportError as error:
        raise BuildFailure(
            f"TRUST={folder} cannot be looked through: {error}",
            hint=f"{sys.executable} -m pip install cryptography",
        ) from error
    try:
        release_trust.read(folder)
    except TrustError as error:
        raise BuildFailure(
            f"TRUST={folder} would not be understood by the program: {error.message}",
            hint="write it anew: python -m awstoe_signing trust --directory DIR",
        ) from error
    os.makedirs(place)
    for name in names:
        shutil.copyfile(os.path.join(folder, name), os.path.join(place, name))
    return names
