"""SetFolderOwner: change the owner of a folder and of everything in it.

- `owner` and `group` are names or numbers; a name of digits is looked up as a name first.
- Without `group`, everything gets the owner's primary group.
- With `recursive: false`, only the folder itself is changed.
- If `path` is a symbolic link, it is followed. Links inside are changed themselves and never
  followed, so nothing outside the folder changes.
- A file is an error: use SetFileOwner. Only root can change the owner of files.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import file_types, ownership, tree

EXAMPLE = """\
- path: /opt/app
  owner: root
  group: root
  recursive: true
"""


class Inputs(NamedTuple):
    """The inputs of SetFolderOwner."""

    path: Annotated[str, LocalPath("The folder.")]
    owner: Annotated[str, Text("The new owner's name or number.")]
    group: Annotated[
        str | None, Text("The new group's name or number; default: the owner's primary group.")
    ] = None
    recursive: Annotated[bool, Boolean("Whether everything in the folder is changed too.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the owner of one folder.

    Raises:
        ActionError: The folder or the owner does not exist, or the system does not allow it.
    """
    with operation("SetFolderOwner", f"change the owner of {quoted(inputs.path)}", ctx):
        file_types.require_folder(inputs.path)
        owner = ownership.find_owner(inputs.owner, inputs.group, primary_group=True)
        if inputs.recursive:
            tree.set_owner(inputs.path, owner.user, owner.group, ctx.checkpoint)
        else:
            ownership.give(inputs.path, owner)
        ctx.log.info(
            f"SetFolderOwner: {quoted(inputs.path)} now belongs to {owner.user}:{owner.group}"
        )
