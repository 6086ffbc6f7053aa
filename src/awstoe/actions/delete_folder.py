"""DeleteFolder: delete a folder.

- A folder that is not empty is an error, unless `force` is true: then its content is deleted too.
- Symbolic links inside are deleted themselves. Their targets never change, even if another program
  changes the folder at the same time.
- A symbolic link to a folder, a file, the root of the file system, and paths that end in `.` or
  `..` are errors. A file system that is mounted inside is an error too; its content is kept.
"""

import errno
import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError, PermanentError
from awstoe.host.files import file_types, paths, renaming, targets, tree
from awstoe.host.platforms import current

EXAMPLE = """\
- path: /tmp/build
  force: true
"""


class Inputs(NamedTuple):
    """The inputs of DeleteFolder."""

    path: Annotated[str, LocalPath("The folder to delete.")]
    force: Annotated[bool, Boolean("Whether its content is deleted too.")] = False


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Delete one folder.

    Raises:
        ActionError: It is missing, not a folder, not empty, or the system does not allow it.
    """
    with operation("DeleteFolder", f"delete the folder {quoted(inputs.path)}", ctx):
        path = paths.without_end_separators(inputs.path, current())
        _check(path)
        if inputs.force:
            tree.remove(path, ctx.checkpoint)
        else:
            _remove_empty(path)
        ctx.log.info(f"DeleteFolder: Deleted {quoted(inputs.path)}")


def _check(path: str) -> None:
    """Check that it is a folder, and not one that is only named by mistake."""
    actual = file_types.file_type(path)
    if actual is file_types.FileType.MISSING:
        raise file_types.missing(path, "folder")
    if actual is file_types.FileType.LINK:
        raise ActionError(
            f"{quoted(path)} is a symbolic link to {quoted(os.readlink(path))}",
            hint="delete the link with DeleteFile, or use the path of its target",
        )
    if actual is not file_types.FileType.FOLDER:
        raise ActionError(f"{quoted(path)} is {actual}, not a folder", hint="use DeleteFile")
    resolved = os.path.realpath(path)
    root = os.path.dirname(resolved) == resolved
    if root or os.path.samefile(path, os.path.abspath(os.sep)):
        raise PermanentError(f"{quoted(path)} is the root of the file system")
    if os.path.basename(path) in (os.curdir, os.pardir):
        raise PermanentError(
            f"{quoted(path)} ends in {quoted(os.path.basename(path))}",
            hint=f"use the folder's own path: {quoted(resolved)}",
        )


def _remove_empty(path: str) -> None:
    try:
        with targets.named(path) as held:
            renaming.rmdir(held)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise ActionError(
            f"{quoted(path)} is not empty",
            hint="set force to true to delete it with everything in it",
        ) from error
