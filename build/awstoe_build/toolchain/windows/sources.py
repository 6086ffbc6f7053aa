"""The sources of the boot loader, where it is built on Windows: those of the other targets, alone.

The lock of all sources has packages whose metadata cannot be asked for without a C compiler of
their own choice. Versions and hashes are read from that lock.
"""

import os
import re
import sys
from typing import Final

from awstoe_build import programs
from awstoe_build.toolchain import registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_PACKAGES: Final = ("deflate", "pyinstaller")


def recipe() -> Recipe:
    """The layer with the source distributions."""
    return Recipe(
        name=registry.sources().name,
        module=sys.modules[__name__],
        inputs={"lock": lock()},
        needs=(registry.tools(),),
        build=_build,
    )


def lock() -> str:
    """The entries of the lock of all sources for what is needed here."""
    entry = re.compile(r"^([a-z0-9-]+)(==.*(?:\n .*)*\n)", re.MULTILINE)
    entries = entry.findall(registry.read_lock("sources"))
    return "".join(name + rest for name, rest in entries if name in _PACKAGES)


def _build(workshop: LayerBuild) -> None:
    chosen = os.path.join(workshop.scratch, "lock.txt")
    with open(chosen, "w", encoding="utf-8") as stream:
        stream.write(lock())
    path = [os.path.abspath(registry.BACKENDS), workshop.needs["tools"]]
    workshop.run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download"),
        *("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--no-cache-dir"),
        *("--dest", workshop.content, "--require-hashes", "-r", chosen),
        folder=workshop.scratch,
        environment={
            **programs.network_environment(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(path),
        },
        hint="the network is needed once; if a hash did not fit, do not use the file",
    )
