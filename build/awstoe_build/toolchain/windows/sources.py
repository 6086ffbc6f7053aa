"""The sources of the bootloader, for builds on Windows.

The lock of all sources includes packages whose metadata pip cannot build without a C compiler that
they choose themselves. So only the bootloader's are downloaded, with the versions and hashes of
that lock.
"""

import os
import re
import sys
from typing import Final

from awstoe_build import commands
from awstoe_build.toolchain import registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_PACKAGES: Final = ("deflate", "pyinstaller")


def recipe() -> Recipe:
    """Return the layer with the source distributions."""
    return Recipe(
        name=registry.sources().name,
        module=sys.modules[__name__],
        inputs={"lock": lock()},
        needs=(registry.tools(),),
        build=_build,
    )


def lock() -> str:
    """Return the entries for these packages in the lock of all sources."""
    entry = re.compile(r"^([a-z0-9-]+)(==.*(?:\n .*)*\n)", re.MULTILINE)
    entries = entry.findall(registry.read_lock("sources"))
    return "".join(name + rest for name, rest in entries if name in _PACKAGES)


def _build(build: LayerBuild) -> None:
    path = os.path.join(build.scratch, "lock.txt")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(lock())
    python_path = [os.path.abspath(registry.BACKENDS), build.needs["tools"]]
    build.run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download"),
        *("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--no-cache-dir"),
        *("--dest", build.content, "--require-hashes", "-r", path),
        folder=build.scratch,
        environment={
            **commands.network_environment(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(python_path),
        },
        hint=(
            "check the network connection; downloads are kept, so it is needed only once. If a hash"
            " does not match, do not use the file"
        ),
    )
