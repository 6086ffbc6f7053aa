"""CopyFolder: copy folders with everything in them.

- The content of `source` goes into `destination`, which is created if missing, with the folders
  above it. If `destination` ends in a path separator, the folder goes into it under its own name.
- An existing folder is merged with the content: files with the same names are replaced, nothing
  else changes. A folder never replaces a file, nor a file a folder; such collisions are found
  before anything is copied. With `overwrite: false`, an existing destination is an error.
- `*` is accepted after the last separator of `source` and matches folders. If several match, the
  destination has to end in a separator; if none matches, the step fails.
- Symbolic links inside are copied as links. A link to a folder in the destination counts as that
  folder, so a tree with `lib/` can be copied over a system whose `/lib` is a link.
- New files and folders get the permissions of the source minus the umask.
- Named pipes, sockets and devices inside, and copying a folder into itself, are errors.
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
    """The inputs of CopyFolder."""

    source: Annotated[str, LocalPath("The folder to copy; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new folder, or the folder to copy into.")]
    overwrite: Annotated[bool, Boolean("Whether the destination may exist.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Copy one folder, or the folders that match.

    Raises:
        ActionError: A source or destination is not valid, or the system does not allow it.
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
