"""DeleteFile: delete files.

- `*` is accepted after the last path separator and matches any characters, leading dots included.
  It matches everything except folders; if nothing matches, the step succeeds.
- Without `*`, the file has to exist. A folder is an error: use DeleteFolder.
- A symbolic link itself is deleted, not its target.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import file_types, paths, renaming, targets, wildcards

EXAMPLE = """\
- path: /tmp/installer.bin
- path: /var/log/app/*.log
"""


class Inputs(NamedTuple):
    """The inputs of DeleteFile."""

    path: Annotated[str, LocalPath("The file to delete; * in its last part.", wildcard=True)]


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Delete one file, or the files that match.

    Raises:
        ActionError: It is missing, a folder, or the system does not allow it.
    """
    path = inputs.path
    with operation("DeleteFile", f"delete {quoted(path)}", ctx):
        if not paths.has_wildcard(path):
            _delete(path, ctx)
            return
        matches = [
            each
            for each in wildcards.expand(path)
            if file_types.file_type(each) is not file_types.FileType.FOLDER
        ]
        for each in matches:
            ctx.checkpoint()
            _delete(each, ctx)
        if not matches:
            ctx.log.info(f"DeleteFile: Nothing matches {quoted(path)}")


def _delete(path: str, ctx: ActionContext) -> None:
    actual = file_types.file_type(path)
    if actual is file_types.FileType.MISSING:
        raise file_types.missing(path, "file")
    if actual is file_types.FileType.FOLDER:
        raise ActionError(f"{quoted(path)} is a folder", hint="use DeleteFolder")
    with targets.named(path) as held:
        renaming.unlink(held)
    ctx.log.info(f"DeleteFile: Deleted {quoted(path)}")
