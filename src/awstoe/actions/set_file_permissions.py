"""SetFilePermissions: change the permissions of a file.

- `permissions` are octal, of three or four digits, and set exactly: the umask plays no part. The
  first of four digits holds setuid (4), setgid (2) and the sticky bit (1).
- A symbolic link stands for what it leads to. A folder is an error: use SetFolderPermissions.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import LocalPath, Permissions
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import file_types

EXAMPLE = """\
- path: /opt/app/run.sh
  permissions: 0755
"""


class Inputs(NamedTuple):
    """What SetFilePermissions is given."""

    path: Annotated[str, LocalPath("The file.")]
    permissions: Annotated[int, Permissions("The octal permissions it is to have.")]


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the permissions of one file.

    Raises:
        ActionError: It does not exist, is a folder, or the system refused.
    """
    with operation("SetFilePermissions", f"change the permissions of {quoted(inputs.path)}", ctx):
        found = file_types.followed_type(inputs.path)
        if found is file_types.FileType.MISSING:
            raise file_types.missing(inputs.path, "file")
        if found is file_types.FileType.FOLDER:
            raise ActionError(f"{quoted(inputs.path)} is a folder", hint="use SetFolderPermissions")
        os.chmod(inputs.path, inputs.permissions)
        ctx.log.info(f"SetFilePermissions: {quoted(inputs.path)} has {inputs.permissions:04o} now")
