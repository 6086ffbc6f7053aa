"""Provides the folder that the subject runs in, with a temporary folder of its own."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from awstoe.host.platforms import Platform
from cli.running import Toe
from subject import chosen

DOCUMENT = """\
name: conformance
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: step
        action: ExecuteBash
        inputs:
          commands:
"""


class Place(Toe):
    """A folder to run the subject in. The subject must remove everything that it unpacks there.

    Args:
        folder: The folder.
        machine: Variables that the machine needs to run the subject.

    Attributes:
        temporary: The folder for temporary files.
        killed: Whether the test kills the program itself. Then the folder of the current step
            exists until the run is resumed.
    """

    killed = False

    def __init__(self, folder: Path, machine: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.environment = {**machine, **self.environment}
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.environment["AWSTOE_FILE"] = chosen().path
        names = ("TMPDIR",) if chosen().platform is Platform.LINUX else ("TEMP", "TMP")
        for name in names:
            self.environment[name] = chosen().native_path(self.temporary)
        if chosen().under_wine:
            use_temporary_folder(self.temporary, Path(self.environment["WINEPREFIX"]))

    def bash(self, *commands: str, name: str = "document.yml") -> str:
        """Write a document with one step that runs ``commands``, and return its path."""
        lines = "".join(f"            - {json.dumps(each)}\n" for each in commands)
        return str(self.write(name, DOCUMENT + lines))

    def arguments(self, *commands: str) -> list[str]:
        """Return the command line for a run of one step with ``commands``."""
        return self.argv("-d", self.bash(*commands), "-l", str(self.folder))

    def unpacked(self) -> list[str]:
        """Return the unpack folders that still exist."""
        return sorted(each for each in os.listdir(self.temporary) if each.startswith("_MEI"))

    def leftovers(self) -> list[str]:
        """Return the entries of the temporary folder that the test must not leave there."""
        unpacked = self.unpacked()
        others = [each for each in self.left() if each not in unpacked]
        return unpacked + ([] if self.killed else others)

    def left(self) -> list[str]:
        """Return the entries of the temporary folder."""
        return sorted(os.listdir(self.temporary))


def use_temporary_folder(temporary: Path, prefix: Path) -> None:
    """Make a Wine machine use a folder for temporary files.

    Wine ignores TEMP in the caller's environment, and reads it from its registry.
    """
    (own,) = (each / "Temp" for each in prefix.glob("drive_c/users/*") if each.name != "Public")
    if own.is_symlink():
        own.unlink()
    else:
        shutil.rmtree(own)
    own.symlink_to(temporary)
