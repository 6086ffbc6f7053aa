"""SetFileEncoding: convert a file from UTF-8 to another encoding.

- The file has to be UTF-8. A byte that is not is an error that names its offset, and the file stays
  as it was.
- The file is replaced in one step and keeps its permissions and owner. A symbolic link stands for
  the file it leads to.
- Byte-order marks: none is added. One that the file has is carried over, in the new encoding.
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
    """What SetFileEncoding is given."""

    path: Annotated[str, LocalPath("The file to convert.")]
    encoding: Annotated[str, Encoding("The encoding it is to have.")] = "utf-8"


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Convert one file.

    Raises:
        ActionError: It is missing, no regular file, no UTF-8, or the system refused.
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
        ctx.log.info(f"SetFileEncoding: {quoted(inputs.path)} is {inputs.encoding} now")
