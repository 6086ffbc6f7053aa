"""Python packages, pinned by hash in ``locks/`` and downloaded by pip.

pip's own configuration sets the registry and the proxy.
"""

import os
import sys
from typing import Final

from awstoe_build import commands
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_HERE: Final = os.path.dirname(os.path.abspath(__file__))
_LOCKS: Final = os.path.join(_HERE, "locks")
BACKENDS: Final = os.path.join(_HERE, "backends")
"""Replacements for build backends, from which pip gets a source distribution's metadata."""
_NETWORK_HINT: Final = (
    "check the network connection; downloads are kept, so it is needed only once. If a hash does"
    " not match, do not use the file: either the registry or the lock in"
    " build/awstoe_build/toolchain/locks is wrong"
)

# The interpreter that freezes, regardless of the one that runs pip.
_INTERPRETER: Final = (
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--abi", "cp313", "--abi", "abi3", "--abi", "none"),
)


def lock_path(lock: str) -> str:
    """Return the path of a lock file."""
    return os.path.join(_LOCKS, lock + ".txt")


def read_lock(lock: str) -> str:
    """Return a lock file without its comments, for a layer's key."""
    with open(lock_path(lock), encoding="utf-8") as stream:
        return "".join(line for line in stream if not line.startswith("#"))


def sources() -> Recipe:
    """Return the layer with the source distributions that other layers compile."""
    return Recipe(
        name="source-python-packages",
        module=sys.modules[__name__],
        inputs={"lock": read_lock("sources")},
        needs=(tools(),),
        build=_fetch_sources,
    )


def tools() -> Recipe:
    """Return the layer with Python packages that run on the build machine."""
    return Recipe(
        name="tools",
        module=sys.modules[__name__],
        inputs={"lock": read_lock("tools")},
        needs=(),
        build=lambda build: install(build, "tools", build.content),
    )


def download(build: LayerBuild, lock: str, *, platform: str) -> list[str]:
    """Download the wheels of a lock for a platform, and return their paths.

    Raises:
        BuildFailure: A wheel cannot be downloaded, or its hash does not match.
    """
    folder = os.path.join(build.scratch, "wheels-" + lock)
    os.makedirs(folder, exist_ok=True)
    wheels = ("--no-deps", "--only-binary", ":all:", "--platform", platform, "--dest", folder)
    _pip(build, "download", *wheels, *_INTERPRETER, lock=lock)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def install(build: LayerBuild, lock: str, folder: str, *, platform: str = "any") -> None:
    """Install the wheels of a lock into a folder: pure Python ones, or those for a platform.

    Raises:
        BuildFailure: A wheel cannot be downloaded, or its hash does not match.
    """
    wheels = ("--no-deps", "--only-binary", ":all:", "--platform", platform, "--no-compile")
    _pip(build, "install", *wheels, *_INTERPRETER, "--target", folder, lock=lock)


def _fetch_sources(build: LayerBuild) -> None:
    # pip builds the metadata of a source distribution, for which it needs the build tools.
    options = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest")
    path = os.pathsep.join([BACKENDS, build.needs["tools"]])
    _pip(build, "download", *options, build.content, lock="sources", python_path=path)


def _pip(build: LayerBuild, *arguments: str, lock: str, python_path: str = "") -> None:
    environment = commands.network_environment()
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PYTHONPATH"] = python_path
    build.run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments),
        *("--require-hashes", "--no-cache-dir", "-r", lock_path(lock)),
        folder=build.scratch,
        environment=environment,
        hint=_NETWORK_HINT,
    )
