r"""ListFiles: list the files in a folder.

- Files are regular files and symbolic links to them; folders, pipes, sockets and devices are not
  listed. With `recursive`, subfolders are searched too; links to folders are not followed.
- `fileNamePattern` applies to names, not to paths; `*` matches any characters.
- `files` contains `path` as given plus the name of each file, sorted and joined with commas. A name
  with a comma is ambiguous there, and bytes of names that are not UTF-8 are shown as `\\xNN`; both
  cause a warning.
- Each operation has one output, so `outputs[1].files` belongs to the second one.
"""

import os
from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.host.files import file_types, long_paths, paths
from awstoe.host.platforms import current

EXAMPLE = """\
- path: /var/log/app
  fileNamePattern: '*.log'
  recursive: true
"""


class Inputs(NamedTuple):
    """The inputs of ListFiles."""

    path: Annotated[str, LocalPath("The folder.")]
    pattern: Annotated[
        str | None, Text("The pattern for names; * is a wildcard.", name="fileNamePattern")
    ] = None
    recursive: Annotated[bool, Boolean("Whether subfolders are searched too.")] = False


class Outputs(NamedTuple):
    """The outputs of ListFiles."""

    files: Annotated[str, "The paths of the files, joined with commas."]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """List the files of one folder.

    Raises:
        ActionError: It is missing, not a folder, or cannot be read.
    """
    with operation("ListFiles", f"list the files in {quoted(inputs.path)}", ctx):
        file_types.require_folder(inputs.path)
        pattern = "*" if inputs.pattern is None else inputs.pattern
        matches = paths.matcher(pattern, current()).match
        files = sorted(_files(inputs, matches, ctx.checkpoint))
        ctx.log.info(f"ListFiles: Found {len(files)} files in {quoted(inputs.path)}")
        return Outputs(",".join(_shown(path, ctx) for path in files))


def _files(
    inputs: Inputs, matches: Callable[[str], object], checkpoint: Callable[[], None]
) -> Iterator[str]:
    root = paths.shown(inputs.path)
    pending = [(root, long_paths.deep(root))]
    while pending:
        checkpoint()
        folder, deep = pending.pop()
        with os.scandir(deep) as entries:
            for entry in entries:
                shown = paths.join(folder, entry.name, current())
                if entry.is_dir(follow_symlinks=False):
                    if inputs.recursive and not file_types.entry_is_link(entry):
                        pending.append((shown, entry.path))
                elif matches(entry.name) and entry.is_file():
                    yield shown


def _shown(path: str, ctx: ActionContext) -> str:
    """Return ``path`` for the output value, which has to be text that any tool can read."""
    if "," in path:
        ctx.log.warning(
            f"ListFiles: {quoted(path)} contains a comma, which also separates the output's files"
        )
    try:
        path.encode()
    except UnicodeEncodeError:
        ctx.log.warning(
            f"ListFiles: the name {quoted(path)} is not UTF-8; the output shows its bytes as \\xNN"
            " and cannot be used to open it"
        )
        return os.fsencode(path).decode(errors="backslashreplace")
    return path
