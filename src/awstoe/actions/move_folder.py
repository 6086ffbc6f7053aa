"""MoveFolder: move or rename folders.

- The folder gets the path `destination`; the folders above it are made when missing. A
  `destination` that ends in the path separator takes the folder under its own name.
- Into an existing folder the content is merged: files of the same name are replaced, nothing else
  is touched. A folder never takes the place of a file, nor a file that of a folder; such collisions
  are found before anything is moved. With `overwrite: false` an existing destination is an error.
- `*` is accepted after the last separator of `source` and matches folders. When several match, the
  destination has to end in the separator; when none does, the step fails.
- Between file systems the folder is copied with owners, permissions, times and attributes; the
  source goes only after the copy is complete.
- A symbolic link to a folder (MoveFile moves links) and moving a folder into itself are refused.
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
    """What MoveFolder is given."""

    source: Annotated[str, LocalPath("The folder to move; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new path, or the folder to move into.")]
    overwrite: Annotated[bool, Boolean("Whether the destination may exist.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Move one folder, or those that match.

    Raises:
        ActionError: A source or destination does not fit, or the system refused.
    """
    doing = f"move the folder {quoted(inputs.source)} to {quoted(inputs.destination)}"
    with operation("MoveFolder", doing, ctx):
        for source, destination in destinations.transfers(
            inputs.source, inputs.destination, "folder", overwrite=inputs.overwrite
        ):
            ctx.checkpoint()
            moving.move_folder(source, destination, checkpoint=ctx.checkpoint)
            ctx.log.info(f"MoveFolder: Moved {quoted(source)} to {quoted(destination)}")
