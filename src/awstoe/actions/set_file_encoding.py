"""SetFileEncoding: convert a file from UTF-8 to another encoding.

- The file has to be UTF-8. A byte that is not is an error with its offset, and the file does not
  change.
- The file is replaced in one step and keeps its permissions and owner. A symbolic link is followed.
- No byte-order mark is added. One that the file has is kept, in the new encoding.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Encoding, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.actions.text_encoding import converted
from awstoe.host.files import file_types, regular_files
from awstoe.host.files.atomic_replace import AtomicReplacement

EXAMPLE = """\
- path: /opt/app/messages.txt
  encoding: utf-16
"""


class Inputs(NamedTuple):
    """The inputs of SetFileEncoding."""

    path: Annotated[str, LocalPath("The file to convert.")]
    encoding: Annotated[str, Encoding("The new encoding.")] = "utf-8"


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Convert one file.

    Raises:
        ActionError: It is missing, not a regular file, not UTF-8, or the system does not allow it.
    """
    doing = f"convert {quoted(inputs.path)} to {inputs.encoding}"
    with operation("SetFileEncoding", doing, ctx):
        file_types.require_file(inputs.path)
        with AtomicReplacement(inputs.path) as new:
            for data in converted(
                regular_files.chunks(inputs.path, ctx.checkpoint), inputs.encoding
            ):
                new.write(data)
            new.commit()
        ctx.log.info(f"SetFileEncoding: {quoted(inputs.path)} is now {inputs.encoding}")
