"""Packages of the Python registry: pinned by hash in ``locks/``, downloaded by pip.

Which registry and which proxy is pip's own business, by its configuration.
"""

import os
import sys
from typing import Final

from awstoe_build import programs
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_HERE: Final = os.path.dirname(os.path.abspath(__file__))
_LOCKS: Final = os.path.join(_HERE, "locks")
BACKENDS: Final = os.path.join(_HERE, "backends")
"""Stand-ins for build backends that pip asks for a source distribution's metadata."""
_OFFLINE: Final = (
    "the network is needed once; what has been downloaded is kept. If a hash did not fit, do not"
    " use the file: either the registry or the lock in build/awstoe_build/toolchain/locks is wrong"
)

# The one that freezes, whichever runs pip.
_INTERPRETER: Final = (
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--abi", "cp313", "--abi", "abi3", "--abi", "none"),
)


def lock_path(lock: str) -> str:
    """Where the list called ``lock`` stands."""
    return os.path.join(_LOCKS, lock + ".txt")


def read_lock(lock: str) -> str:
    """The list of packages called ``lock``, as it goes into a layer's key: without comments."""
    with open(lock_path(lock), encoding="utf-8") as stream:
        return "".join(line for line in stream if not line.startswith("#"))


def sources() -> Recipe:
    """The layer with the source distributions that we build ourselves."""
    return Recipe(
        name="source-python-packages",
        module=sys.modules[__name__],
        inputs={"lock": read_lock("sources")},
        needs=(tools(),),
        build=_fetch_sources,
    )


def tools() -> Recipe:
    """The layer with Python packages that run on the build machine."""
    return Recipe(
        name="tools",
        module=sys.modules[__name__],
        inputs={"lock": read_lock("tools")},
        needs=(),
        build=lambda workshop: install(workshop, "tools", workshop.content),
    )


def download(workshop: LayerBuild, lock: str, *, platform: str) -> list[str]:
    """Download the wheels of a lock for a platform; gives their paths.

    Raises:
        BuildFailure: The network is missing, or a hash does not fit.
    """
    folder = os.path.join(workshop.scratch, "wheels-" + lock)
    os.makedirs(folder, exist_ok=True)
    wheels = ("--no-deps", "--only-binary", ":all:", "--platform", platform, "--dest", folder)
    _pip(workshop, "download", *wheels, *_INTERPRETER, lock=lock)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def install(workshop: LayerBuild, lock: str, folder: str, *, platform: str = "any") -> None:
    """Install the wheels of a lock into a folder: the pure ones, or those for a platform.

    Raises:
        BuildFailure: The network is missing, or a hash does not fit.
    """
    wheels = ("--no-deps", "--only-binary", ":all:", "--platform", platform, "--no-compile")
    _pip(workshop, "install", *wheels, *_INTERPRETER, "--target", folder, lock=lock)


def _fetch_sources(workshop: LayerBuild) -> None:
    # pip asks a source distribution for its metadata, which needs the tools it is built with.
    plain = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest")
    path = os.pathsep.join([BACKENDS, workshop.needs["tools"]])
    _pip(workshop, "download", *plain, workshop.content, lock="sources", python_path=path)


def _pip(workshop: LayerBuild, *arguments: str, lock: str, python_path: str = "") -> None:
    environment = programs.network_environment()
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PYTHONPATH"] = python_path
    workshop.run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments),
        *("--require-hashes", "--no-cache-dir", "-r", lock_path(lock)),
        folder=workshop.scratch,
        environment=environment,
        hint=_OFFLINE,
    )
