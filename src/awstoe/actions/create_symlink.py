"""CreateSymlink: create a symbolic link.

- A relative `path` is relative to the working directory. Missing folders above the link are
  created.
- `target` is stored as given and has to exist. As for every link, a relative target is relative to
  the folder of the link.
- An existing link is an error, unless `force` is true: then it is replaced in one step. Anything
  else with that path is an error even with `force`.
"""

import os
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.errors import ActionError
from awstoe.host.files import atomic_replace, copying, file_types, targets

EXAMPLE = """\
- path: /usr/local/bin/app
  target: /opt/app/bin/app
  force: true
"""


class Inputs(NamedTuple):
    """The inputs of CreateSymlink."""

    path: Annotated[str, LocalPath("The link to create.")]
    target: Annotated[str, LocalPath("The target of the link.")]
    force: Annotated[bool, Boolean("Whether an existing link is replaced.")] = False


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Create one link.

    Raises:
        ActionError: The target is missing, the path exists, or the system does not allow it.
    """
    doing = f"create the link {quoted(inputs.path)} to {quoted(inputs.target)}"
    with operation("CreateSymlink", doing, ctx):
        path = os.path.join(os.getcwd(), inputs.path)
        _require_target(path, inputs.target)
        actual = file_types.file_type(path)
        if actual not in (file_types.FileType.MISSING, file_types.FileType.LINK):
            raise ActionError(
                f"{quoted(path)} is {actual}, not a link",
                hint="remove it first; force replaces only links",
            )
        if actual is file_types.FileType.LINK and not inputs.force:
            raise ActionError(
                f"the link {quoted(path)} already exists and leads to {quoted(os.readlink(path))}",
                hint="set force to true to replace it",
            )
        atomic_replace.make_parents(path)
        if actual is file_types.FileType.LINK:
            copying.place_link(inputs.target, path)
        else:
            with targets.named(path) as held:
                os.symlink(inputs.target, held)
        ctx.log.info(f"CreateSymlink: Linked {quoted(path)} to {quoted(inputs.target)}")


def _require_target(path: str, target: str) -> None:
    """Check that the target exists, relative to the link."""
    if os.path.exists(os.path.join(os.path.dirname(path), target)):
        return
    hint = "create the target first"
    if not os.path.isabs(target):
        hint = f"a relative target is relative to the link's folder {quoted(os.path.dirname(path))}"
        if os.path.exists(target):
            hint += f"; use {quoted(os.path.abspath(target))}"
    raise ActionError(f"the target {quoted(target)} does not exist", hint=hint)
