"""SetFilePermissions: change the permissions of a file.

- `permissions` are three or four octal digits, with or without a leading `0` or `0o`. They are set
  exactly: the umask has no effect. The first of four digits is the sum of setuid (4), setgid (2)
  and the sticky bit (1).
- A symbolic link is followed. A folder is an error: use SetFolderPermissions.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.actions.permissions import Permissions
from awstoe.errors import ActionError
from awstoe.host.files import file_types

EXAMPLE = """\
- path: /opt/app/run.sh
  permissions: 0755
"""


class Inputs(NamedTuple):
    """The inputs of SetFilePermissions."""

    path: Annotated[str, LocalPath("The file.")]
    permissions: Annotated[int, Permissions("The new octal permissions.")]


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the permissions of one file.

    Raises:
        ActionError: It does not exist, is a folder, or the system does not allow it.
    """
    with operation("SetFilePermissions", f"change the permissions of {quoted(inputs.path)}", ctx):
        found = file_types.followed_type(inputs.path)
        if found is file_types.FileType.MISSING:
            raise file_types.missing(inputs.path, "file")
        if found is file_types.FileType.FOLDER:
            raise ActionError(f"{quoted(inputs.path)} is a folder", hint="use SetFolderPermissions")
        os.chmod(inputs.path, inputs.permissions)
        ctx.log.info(f"SetFilePermissions: {quoted(inputs.path)} now has {inputs.permissions:04o}")
