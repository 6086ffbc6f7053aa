"""CopyFolder: copy folders with everything in them.

- The content of `source` goes into `destination`, which is made when missing, with the folders
  above it. A `destination` that ends in the path separator takes the folder under its own name.
- Into an existing folder the content is merged: files of the same name are replaced, nothing else
  is touched. A folder never takes the place of a file, nor a file that of a folder; such collisions
  are found before anything is copied. With `overwrite: false` an existing destination is an error.
- `*` is accepted after the last separator of `source` and matches folders. When several match, the
  destination has to end in the separator; when none does, the step fails.
- Symbolic links inside are copied as links. A link to a folder in the destination stands for that
  folder, so a tree with `lib/` can be copied over a system whose `/lib` is a link.
- New files and folders get the permissions of the source less the umask.
- Named pipes, sockets and devices inside, and copying a folder into itself, are refused.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import atomic_replace, copying, destinations

EXAMPLE = """\
- source: /opt/app/templates
  destination: /etc/app/templates
- source: /opt/app/site-*
  destination: /srv/
"""


class Inputs(NamedTuple):
    """What CopyFolder is given."""

    source: Annotated[str, LocalPath("The folder to copy; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new folder, or the folder to copy into.")]
    overwrite: Annotated[bool, Boolean("Whether the destination may exist.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Copy one folder, or those that match.

    Raises:
        ActionError: A source or destination does not fit, or the system refused.
    """
    doing = f"copy the folder {quoted(inputs.source)} to {quoted(inputs.destination)}"
    with operation("CopyFolder", doing, ctx):
        for source, destination in destinations.transfers(
            inputs.source, inputs.destination, "folder", overwrite=inputs.overwrite
        ):
            ctx.checkpoint()
            destinations.require_source(source, "folder")
            destinations.refuse_inside(source, destination)
            if os.path.isdir(destination):
                destinations.require_mergeable(source, destination)
            atomic_replace.make_parents(destination)
            copied = copying.copy_folder(source, destination, checkpoint=ctx.checkpoint)
            ctx.log.info(
                f"CopyFolder: Copied {quoted(source)} to {quoted(destination)} ({copied} files)"
            )
