"""ReadFile: read a text file into an output value.

- `content` is the text of the file with its own line breaks, but without a byte-order mark at its
  start. A symbolic link is followed.
- Bytes that are not valid in the encoding are an error with the first one's offset: binary files
  are not supported.
- Files of up to 16 MiB can be read: the content is kept in memory and in the run's records.
- The content goes to console.log only with `printFileContent`.
- Each operation has one output, so `outputs[1].content` belongs to the second one.
"""

from typing import Annotated, NamedTuple

from awstoe import limits
from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, Encoding, LocalPath
from awstoe.actions.operation import operation, quoted
from awstoe.actions.text_encoding import decode
from awstoe.host.files import regular_files

EXAMPLE = """\
- path: /etc/os-release
  printFileContent: true
"""


class Inputs(NamedTuple):
    """The inputs of ReadFile."""

    path: Annotated[str, LocalPath("The file to read.")]
    encoding: Annotated[str, Encoding("The encoding of the file.")] = "utf-8"
    print_content: Annotated[
        bool, Boolean("Whether the content goes to console.log.", name="printFileContent")
    ] = False


class Outputs(NamedTuple):
    """The outputs of ReadFile."""

    content: Annotated[str, "The text of the file."]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Read one file.

    Raises:
        ActionError: It is missing, not a regular file, too large, or not in that encoding.
    """
    with operation("ReadFile", f"read {quoted(inputs.path)}", ctx):
        data = regular_files.read_limited(inputs.path, limits.READ_FILE_BYTES)
        text = decode(data, inputs.encoding)
        ctx.log.info(f"ReadFile: Read {len(data)} bytes from {quoted(inputs.path)}")
        if inputs.print_content:
            for line in text.splitlines():
                ctx.log.info(f"ReadFile: {line}")
        return Outputs(text)
