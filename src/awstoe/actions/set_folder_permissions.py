"""SetFolderPermissions: change the permissions of a folder and of everything in it.

- `permissions` are three or four octal digits, with or without a leading `0` or `0o`. They are set
  exactly: the umask has no effect. The first of four digits is the sum of setuid (4), setgid (2)
  and the sticky bit (1).
- Files and folders inside get the same permissions; without the `x` bits, the content of folders is
  not accessible. With `recursive: false`, only the folder itself is changed.
- If `path` is a symbolic link, it is followed. Links inside are never followed, so nothing outside
  the folder changes.
- A file is an error: use SetFilePermissions.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.actions.permissions import Permissions
from awstoe.host.files import file_types, tree

EXAMPLE = """\
- path: /opt/app
  permissions: 0755
  recursive: false
"""


class Inputs(NamedTuple):
    """The inputs of SetFolderPermissions."""

    path: Annotated[str, LocalPath("The folder.")]
    permissions: Annotated[int, Permissions("The new octal permissions.")]
    recursive: Annotated[bool, Boolean("Whether everything in the folder is changed too.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the permissions of one folder.

    Raises:
        ActionError: It does not exist, is a file, or the system does not allow it.
    """
    doing = f"change the permissions of {quoted(inputs.path)}"
    with operation("SetFolderPermissions", doing, ctx):
        file_types.require_folder(inputs.path)
        if inputs.recursive:
            tree.set_permissions(inputs.path, inputs.permissions, ctx.checkpoint)
        else:
            os.chmod(inputs.path, inputs.permissions)
        ctx.log.info(
            f"SetFolderPermissions: {quoted(inputs.path)} now has {inputs.permissions:04o}"
        )
