"""SetFileOwner: change the owner of a file.

- `owner` and `group` are names or numbers; a name of digits is looked up as a name first.
- Without `group`, the file gets the owner's primary group.
- A symbolic link is followed. A folder is an error: use SetFolderOwner.
- Only root can change the owner of files.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import file_types, ownership

EXAMPLE = """\
- path: /opt/app/app.conf
  owner: root
  group: root
"""


class Inputs(NamedTuple):
    """The inputs of SetFileOwner."""

    path: Annotated[str, LocalPath("The file.")]
    owner: Annotated[str, Text("The new owner's name or number.")]
    group: Annotated[
        str | None, Text("The new group's name or number; default: the owner's primary group.")
    ] = None


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Change the owner of one file.

    Raises:
        ActionError: The file or the owner does not exist, or the system does not allow it.
    """
    with operation("SetFileOwner", f"change the owner of {quoted(inputs.path)}", ctx):
        found = file_types.followed_type(inputs.path)
        if found is file_types.FileType.MISSING:
            raise file_types.missing(inputs.path, "file")
        if found is file_types.FileType.FOLDER:
            raise ActionError(f"{quoted(inputs.path)} is a folder", hint="use SetFolderOwner")
        owner = ownership.find_owner(inputs.owner, inputs.group, primary_group=True)
        ownership.give(inputs.path, owner)
        ctx.log.info(
            f"SetFileOwner: {quoted(inputs.path)} now belongs to {owner.user}:{owner.group}"
        )
