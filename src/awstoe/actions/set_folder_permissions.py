"""SetFolderPermissions: change the permissions of a folder and of everything in it.

- `permissions` are octal, of three or four digits, and set exactly: the umask plays no part. The
  first of four digits holds setuid (4), setgid (2) and the sticky bit (1).
- Files and folders inside get the same permissions, so a folder needs its `x` bits for its content
  to stay reachable. With `recursive: false` only the folder itself is changed.
- A symbolic link given as `path` stands for the folder it leads to. Links inside are never
  followed, so nothing outside the folder is touched.
- A file is an error: use SetFilePermissions.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath, Permissions
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import file_types, tree

EXAMPLE = """\
- path: /opt/app
  permissions: 0755
  recursive: false
"""


class Inputs(NamedTuple):
    """What SetFolderPermissions is given."""

    path: Annotated[str, LocalPath("The folder.")]
    permissions: Annotated[int, Permissions("The octal permissions it is to have.")]
    recursive: Annotated[bool, Boolean("Whether everything in the folder is changed, too.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the permissions of one folder.

    Raises:
        ActionError: It does not exist, is a file, or the system refused.
    """
    doing = f"change the permissions of {quoted(inputs.path)}"
    with operation("SetFolderPermissions", doing, ctx):
        file_types.require_folder(inputs.path)
        if inputs.recursive:
            tree.set_permissions(inputs.path, inputs.permissions, ctx.checkpoint)
        else:
            os.chmod(inputs.path, inputs.permissions)
        ctx.log.info(
            f"SetFolderPermissions: {quoted(inputs.path)} has {inputs.permissions:04o} now"
        )
