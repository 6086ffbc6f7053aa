"""CreateFolder: create a folder.

- Missing folders above it are made.
- A folder that exists already is left with everything in it; `owner`, `group` and `permissions` are
  set when given. (The AWSTOE user guide says that it is overwritten; emptying it would lose data.
  Use DeleteFolder first where an empty folder is needed.) With `overwrite: false` it is an error.
- A new folder has the permissions 0777 less the umask; explicit `permissions` are set exactly. They
  hold for the last folder of the path, not for those made above it.
- A file in the way is an error. A symbolic link to a folder counts as that folder.
- `owner`, `group` and `permissions` cannot be used on Windows.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath, Permissions, Text
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import atomic_replace, file_types, ownership
from awstoe.host.platforms import Platform

EXAMPLE = """\
- path: /opt/app/cache
- path: /var/lib/app
  owner: root
  group: root
  permissions: 0750
"""

_LINUX = frozenset({Platform.LINUX})


class Inputs(NamedTuple):
    """What CreateFolder is given."""

    path: Annotated[str, LocalPath("The folder to create.")]
    owner: Annotated[
        str | None,
        Text("The owner's name or number; else the user awstoe runs as.", platforms=_LINUX),
    ] = None
    group: Annotated[
        str | None,
        Text("The group's name or number; else that of the user.", platforms=_LINUX),
    ] = None
    permissions: Annotated[
        int | None, Permissions("Octal permissions; else 0777 less the umask.")
    ] = None
    overwrite: Annotated[bool, Boolean("Whether the folder may exist already.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Create one folder.

    Raises:
        ActionError: Something else is in the way, an owner is unknown, or the system refused.
    """
    path = inputs.path
    with operation("CreateFolder", f"create the folder {quoted(path)}", ctx):
        owner = None
        if inputs.owner is not None or inputs.group is not None:
            owner = ownership.find_owner(inputs.owner, inputs.group, primary_group=False)
        made = _make(path, private=inputs.permissions is not None, overwrite=inputs.overwrite)
        if owner is not None:
            ownership.give(path, owner)
        if inputs.permissions is not None:
            os.chmod(path, inputs.permissions)
        ctx.log.info(
            f"CreateFolder: Created {quoted(path)}"
            if made
            else f"CreateFolder: {quoted(path)} exists already; its content was left as it is"
        )


def _make(path: str, *, private: bool, overwrite: bool) -> bool:
    """Whether the folder had to be made; ``private`` until its permissions are set."""
    if os.path.isdir(path):
        if not overwrite:
            raise atomic_replace.exists(path)
        return False
    if os.path.lexists(path):
        raise ActionError(
            f"{quoted(path)} is {file_types.file_type(path)}",
            hint="remove it first, or use another path",
        )
    atomic_replace.make_parents(path)
    os.mkdir(path, 0o700 if private else 0o777)
    return True
