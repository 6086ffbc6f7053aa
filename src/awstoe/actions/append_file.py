"""AppendFile: append text to a file.

- The file has to exist; a symbolic link is followed.
- `content` is appended exactly as given: no line break is added before or after it.
- No byte-order mark is written. Set `encoding` to the file's encoding, which is not checked.
- If the disk fills up, what was appended is removed.
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
    """The inputs of AppendFile."""

    path: Annotated[str, LocalPath("The file to append to.")]
    content: Annotated[str, Text("The text to append.")] = ""
    encoding: Annotated[str, Encoding("The encoding of the text.")] = "utf-8"


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Append to one file.

    Raises:
        ActionError: It is missing, not a regular file, or cannot be written.
    """
    with operation("AppendFile", f"append to {quoted(inputs.path)}", ctx):
        data = encode(inputs.content, inputs.encoding)
        regular_files.append(inputs.path, data)
        ctx.log.info(f"AppendFile: Appended {len(data)} bytes to {quoted(inputs.path)}")
