"""DeleteFile: delete files.

- `*` is accepted after the last path separator and stands for any characters, leading dots
  included. It matches everything but folders; when nothing matches, the step succeeds.
- Without `*` the file has to exist. A folder is an error: use DeleteFolder.
- A symbolic link is deleted itself, not what it leads to.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import file_types, paths, renaming, wildcards

EXAMPLE = """\
- path: /tmp/installer.bin
- path: /var/log/app/*.log
"""


class Inputs(NamedTuple):
    """What DeleteFile is given."""

    path: Annotated[str, LocalPath("The file to delete; * in its last part.", wildcard=True)]


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Delete one file, or those that match.

    Raises:
        ActionError: It is missing, a folder, or the system refused.
    """
    path = inputs.path
    with operation("DeleteFile", f"delete {quoted(path)}", ctx):
        if not paths.has_wildcard(path):
            _delete(path, ctx)
            return
        found = [
            each
            for each in wildcards.expand(path)
            if file_types.file_type(each) is not file_types.FileType.FOLDER
        ]
        for each in found:
            ctx.checkpoint()
            _delete(each, ctx)
        if not found:
            ctx.log.info(f"DeleteFile: Nothing matches {quoted(path)}")


def _delete(path: str, ctx: ActionContext) -> None:
    found = file_types.file_type(path)
    if found is file_types.FileType.MISSING:
        raise file_types.missing(path, "file")
    if found is file_types.FileType.FOLDER:
        raise ActionError(f"{quoted(path)} is a folder", hint="use DeleteFolder")
    renaming.unlink(path)
    ctx.log.info(f"DeleteFile: Deleted {quoted(path)}")
