"""CreateSymlink: create a symbolic link.

- A relative `path` counts from the working directory; missing folders above the link are made.
- `target` is stored as given. A relative one counts, as for every link, from the folder the link is
  in. It has to exist.
- A link that exists already is an error, unless `force` is true: then it is replaced in one step.
  Anything but a link in the way is an error, with `force`, too.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import atomic_replace, copying, file_types

EXAMPLE = """\
- path: /usr/local/bin/app
  target: /opt/app/bin/app
  force: true
"""


class Inputs(NamedTuple):
    """What CreateSymlink is given."""

    path: Annotated[str, LocalPath("The link to create.")]
    target: Annotated[str, LocalPath("What it leads to.")]
    force: Annotated[bool, Boolean("Whether an existing link is replaced.")] = False


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Create one link.

    Raises:
        ActionError: The target is missing, something is in the way, or the system refused.
    """
    doing = f"create the link {quoted(inputs.path)} to {quoted(inputs.target)}"
    with operation("CreateSymlink", doing, ctx):
        path = os.path.join(os.getcwd(), inputs.path)
        _require_target(path, inputs.target)
        found = file_types.file_type(path)
        if found not in (file_types.FileType.MISSING, file_types.FileType.LINK):
            raise ActionError(
                f"{quoted(path)} is {found}, not a link",
                hint="remove it first; force replaces links only",
            )
        if found is file_types.FileType.LINK and not inputs.force:
            raise ActionError(
                f"the link {quoted(path)} exists already and leads to {quoted(os.readlink(path))}",
                hint="set force to true to replace it",
            )
        atomic_replace.make_parents(path)
        if found is file_types.FileType.LINK:
            copying.place_link(inputs.target, path)
        else:
            os.symlink(inputs.target, path)
        ctx.log.info(f"CreateSymlink: Linked {quoted(path)} to {quoted(inputs.target)}")


def _require_target(path: str, target: str) -> None:
    """Refuse a target that does not exist, seen from the link."""
    if os.path.exists(os.path.join(os.path.dirname(path), target)):
        return
    hint = "create the target first"
    if not os.path.isabs(target):
        hint = f"a relative target counts from the link's folder {quoted(os.path.dirname(path))}"
        if os.path.exists(target):
            hint += f"; give it as {quoted(os.path.abspath(target))}"
    raise ActionError(f"the target {quoted(target)} does not exist", hint=hint)
