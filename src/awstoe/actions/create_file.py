r"""CreateFile: create a file, or replace one.

- Missing folders above the file are created.
- `content` is written as given: YAML decides what `\n` means, and no line break is added. No
  byte-order mark is written in any encoding; to have one, start the content with `\uFEFF`.
- An existing file is replaced in one step: no process sees half a file, and a full disk leaves the
  old one. With `overwrite: false`, an existing file is an error.
- A new file gets the permissions 0666 minus the umask; explicit `permissions` are set exactly. A
  replaced file keeps its owner, group and permissions unless they are set.
- A symbolic link is followed. Folders, named pipes, sockets and devices are errors.
- `owner`, `group` and `permissions` cannot be used on Windows.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Boolean, Encoding, LocalPath, Text
from awstoe.actions.operation import operation, quoted
from awstoe.actions.permissions import Permissions
from awstoe.actions.text_encoding import encode
from awstoe.errors import PermanentError
from awstoe.host.files import ownership, paths
from awstoe.host.files.atomic_replace import AtomicReplacement, make_parents
from awstoe.host.platforms import Platform, current

EXAMPLE = """\
- path: /etc/motd
  content: |
    Built by awstoe
- path: /etc/app/secret.conf
  content: "key=value"
  owner: root
  group: root
  permissions: 0600
"""

_LINUX = frozenset({Platform.LINUX})


class Inputs(NamedTuple):
    """The inputs of CreateFile."""

    path: Annotated[str, LocalPath("The file to create.")]
    content: Annotated[str, Text("The content of the file.")] = ""
    encoding: Annotated[str, Encoding("The encoding of the content.")] = "utf-8"
    owner: Annotated[
        str | None,
        Text("The owner's name or number; default: the user that runs awstoe.", platforms=_LINUX),
    ] = None
    group: Annotated[
        str | None,
        Text("The group's name or number; default: the user's group.", platforms=_LINUX),
    ] = None
    permissions: Annotated[
        int | None, Permissions("Octal permissions; default: 0666 minus the umask.")
    ] = None
    overwrite: Annotated[bool, Boolean("Whether an existing file is replaced.")] = True


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Create one file.

    Raises:
        ActionError: Something else has that path, an owner is unknown, or the system does not
            allow it.
    """
    with operation("CreateFile", f"create {quoted(inputs.path)}", ctx):
        if paths.is_folder_form(inputs.path, current()):
            raise PermanentError(
                f"{quoted(inputs.path)} is the path of a folder",
                hint="remove the separator at its end, or use CreateFolder",
            )
        data = encode(inputs.content, inputs.encoding)
        owner = None
        if inputs.owner is not None or inputs.group is not None:
            owner = ownership.find_owner(inputs.owner, inputs.group, primary_group=False)
        make_parents(inputs.path)
        # A private file must never be readable by others, not even for an instant.
        mode = 0o666 if inputs.permissions is None else 0o600
        with AtomicReplacement(inputs.path, mode=mode, overwrite=inputs.overwrite) as new:
            new.write(data)
            new.commit(owner=owner, permissions=inputs.permissions)
        ctx.log.info(f"CreateFile: Created {quoted(inputs.path)} ({len(data)} bytes)")
