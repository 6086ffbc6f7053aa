"""CreateFolder: create a folder.

- Missing folders above it are created.
- An existing folder keeps everything in it; `owner`, `group` and `permissions` are set if given.
  (The AWSTOE user guide says that it is overwritten, but emptying it would lose data. If you need
  an empty folder, use DeleteFolder first.) With `overwrite: false`, an existing folder is an error.
- A new folder gets the permissions 0777 minus the umask; explicit `permissions` are set exactly.
  They apply to the last folder of the path, not to those created above it.
- A file with that path is an error. A symbolic link to a folder counts as that folder.
- `owner`, `group` and `permissions` cannot be used on Windows.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.actions.permissions import Permissions
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
    """The inputs of CreateFolder."""

    path: Annotated[str, LocalPath("The folder to create.")]
    owner: Annotated[
        str | None,
        Text("The owner's name or number; default: the user that runs awstoe.", platforms=_LINUX),
    ] = None
    group: Annotated[
        str | None,
        Text("The group's name or number; default: the user's group.", platforms=_LINUX),
    ] = None
    permissions: Annotated[
        int | None, Permissions("Octal permissions; default: 0777 minus the umask.")
    ] = None
    overwrite: Annotated[bool, Boolean("Whether the folder may exist.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Create one folder.

    Raises:
        ActionError: Something else has that path, an owner is unknown, or the system does not
            allow it.
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
            else f"CreateFolder: {quoted(path)} already exists; its content is unchanged"
        )


def _make(path: str, *, private: bool, overwrite: bool) -> bool:
    """Make the folder, ``private`` until its permissions are set; return whether it was missing."""
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
