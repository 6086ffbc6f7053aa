"""AppendFile: add text at the end of a file.

- The file has to exist; a symbolic link stands for the file it leads to.
- `content` is added exactly as given: no line end is put before or after it.
- No byte-order mark is written. Name the encoding the file has: nothing checks that it fits.
- When the disk fills up, what was added is taken back.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Encoding, LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.actions.text_encoding import encode
from awstoe.host.files import regular_files

EXAMPLE = """\
- path: /etc/profile.d/editor.sh
  content: |
    export EDITOR=vim
"""


class Inputs(NamedTuple):
    """What AppendFile is given."""

    path: Annotated[str, LocalPath("The file to append to.")]
    content: Annotated[str, Text("The text to add.")] = ""
    encoding: Annotated[str, Encoding("How the text is written.")] = "utf-8"


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Append to one file.

    Raises:
        ActionError: It is missing, no regular file, or cannot be written.
    """
    with operation("AppendFile", f"append to {quoted(inputs.path)}", ctx):
        data = encode(inputs.content, inputs.encoding)
        regular_files.append(inputs.path, data)
        ctx.log.info(f"AppendFile: Appended {len(data)} bytes to {quoted(inputs.path)}")
