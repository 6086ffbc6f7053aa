"""MoveFolder: move or rename folders.

- The folder gets the path `destination`; missing folders above it are created. If `destination`
  ends in a path separator, the folder goes into it under its own name.
- An existing folder is merged with the content: files with the same names are replaced, nothing
  else changes. A folder never replaces a file, nor a file a folder; such collisions are found
  before anything is moved. With `overwrite: false`, an existing destination is an error.
- `*` is accepted after the last separator of `source` and matches folders. If several match, the
  destination has to end in a separator; if none matches, the step fails.
- Between file systems, the folder is copied with owners, permissions, times and attributes, and the
  source is removed once the copy is complete.
- A symbolic link to a folder is an error (MoveFile moves links), and so is moving a folder into
  itself.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import destinations, moving

EXAMPLE = """\
- source: /tmp/app-1.2
  destination: /opt/app
  overwrite: false
- source: /tmp/site-*
  destination: /srv/
"""


class Inputs(NamedTuple):
    """The inputs of MoveFolder."""

    source: Annotated[str, LocalPath("The folder to move; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new path, or the folder to move into.")]
    overwrite: Annotated[bool, Boolean("Whether the destination may exist.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Move one folder, or the folders that match.

    Raises:
        ActionError: A source or destination is not valid, or the system does not allow it.
    """
    doing = f"move the folder {quoted(inputs.source)} to {quoted(inputs.destination)}"
    with operation("MoveFolder", doing, ctx):
        for source, destination in destinations.transfers(
            inputs.source, inputs.destination, "folder", overwrite=inputs.overwrite
        ):
            ctx.checkpoint()
            moving.move_folder(source, destination, checkpoint=ctx.checkpoint)
            ctx.log.info(f"MoveFolder: Moved {quoted(source)} to {quoted(destination)}")
