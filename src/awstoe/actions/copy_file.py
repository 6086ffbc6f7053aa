"""CopyFile: copy files.

- A `destination` that ends in a path separator, or is an existing folder, is a folder: the file
  goes into it under its own name. Anything else is the new file's path. Missing folders are
  created.
- `*` is accepted after the last separator of `source` and matches any characters, leading dots
  included. It matches files and links to files, not folders. If several files match, the
  destination has to end in a separator; if none matches, the step fails.
- An existing file is replaced in one step: no process sees half a file, and a full disk leaves the
  old one. It keeps its permissions and owner; a new file gets the source's permissions minus the
  umask. Hard links to a replaced file keep the old content.
- With `overwrite: false`, anything at the destination is an error.
- Symbolic links are followed at both ends.
- The same file at both ends, folders, named pipes, sockets and devices are errors.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import atomic_replace, copying, destinations

EXAMPLE = """\
- source: /opt/app/defaults.conf
  destination: /etc/app/app.conf
  overwrite: false
- source: /opt/app/units/*.service
  destination: /etc/systemd/system/
"""


class Inputs(NamedTuple):
    """The inputs of CopyFile."""

    source: Annotated[str, LocalPath("The file to copy; * in its last part.", wildcard=True)]
    destination: Annotated[str, LocalPath("The new file, or the folder to copy into.")]
    overwrite: Annotated[bool, Boolean("Whether existing files are replaced.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Copy one file, or the files that match.

    Raises:
        ActionError: A source or destination is not valid, or the system does not allow it.
    """
    doing = f"copy {quoted(inputs.source)} to {quoted(inputs.destination)}"
    with operation("CopyFile", doing, ctx):
        for source, destination in destinations.transfers(
            inputs.source, inputs.destination, "file", overwrite=inputs.overwrite
        ):
            ctx.checkpoint()
            destinations.require_source(source, "file")
            atomic_replace.make_parents(destination)
            copying.copy_file(
                source, destination, checkpoint=ctx.checkpoint, overwrite=inputs.overwrite
            )
            ctx.log.info(f"CopyFile: Copied {quoted(source)} to {quoted(destination)}")
