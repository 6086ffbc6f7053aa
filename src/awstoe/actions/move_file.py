"""MoveFile: move or rename files.

- A `destination` that ends in the path separator, or is an existing folder, is a folder: the file
  goes into it under its own name. Anything else is the new path. Missing folders are made.
- `*` is accepted after the last separator of `source` and stands for any characters, leading dots
  included. It matches files and links to files; folders are passed over. When several files match,
  the destination has to end in the separator; when none does, the step fails.
- An existing file is replaced; with `overwrite: false` it is an error.
- A symbolic link is moved as such, whatever it leads to.
- Between file systems the file is copied with owner, permissions, times and attributes; the source
  goes only after the copy is complete.
- A file onto itself, a folder, and named pipes, sockets and devices are refused.
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
    """What MoveFile is given."""

    source: Annotated[str, LocalPath("The file to move; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new path, or the folder to move into.")]
    overwrite: Annotated[bool, Boolean("Whether existing files are replaced.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Move one file, or those that match.

    Raises:
        ActionError: A source or destination does not fit, or the system refused.
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
