"""MoveFile: move or rename files.

- A `destination` that ends in a path separator, or is an existing folder, is a folder: the file
  goes into it under its own name. Anything else is the new path. Missing folders are created.
- `*` is accepted after the last separator of `source` and matches any characters, leading dots
  included. It matches files and links to files, not folders. If several files match, the
  destination has to end in a separator; if none matches, the step fails.
- An existing file is replaced; with `overwrite: false`, it is an error.
- A symbolic link itself is moved, not its target.
- Between file systems, the file is copied with owner, permissions, times and attributes, and the
  source is removed once the copy is complete.
- The same file at both ends, folders, named pipes, sockets and devices are errors.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import destinations, moving

EXAMPLE = """\
- source: /tmp/app.conf
  destination: /etc/app/app.conf
- source: /tmp/units/*.service
  destination: /etc/systemd/system/
"""


class Inputs(NamedTuple):
    """The inputs of MoveFile."""

    source: Annotated[str, LocalPath("The file to move; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new path, or the folder to move into.")]
    overwrite: Annotated[bool, Boolean("Whether existing files are replaced.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Move one file, or the files that match.

    Raises:
        ActionError: A source or destination is not valid, or the system does not allow it.
    """
    doing = f"move {quoted(inputs.source)} to {quoted(inputs.destination)}"
    with operation("MoveFile", doing, ctx):
        for source, destination in destinations.transfers(
            inputs.source, inputs.destination, "file", overwrite=inputs.overwrite
        ):
            ctx.checkpoint()
            moving.move_file(
                source, destination, overwrite=inputs.overwrite, checkpoint=ctx.checkpoint
            )
            ctx.log.info(f"MoveFile: Moved {quoted(source)} to {quoted(destination)}")
