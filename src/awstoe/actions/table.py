"""The registry: a literal table of all action modules.

It is data so that PyInstaller sees the module names, readers see the whole list, and no module is
imported before a document uses it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from awstoe.host.platforms import Platform


class Shape(StrEnum):
    """The structure of a step's ``inputs``."""

    LIST = "list"
    """A list of mappings, each one operation."""
    MAPPING = "mapping"
    """One mapping."""
    CONDITION = "condition"
    """One mapping that is a condition (Assert)."""


class ActionSpec(NamedTuple):
    """One action module."""

    module: str
    """Its module below ``awstoe.actions``."""
    platforms: frozenset[Platform]
    shape: Shape
    implemented: bool
    """Whether this version can run it; every action can be validated."""
    inputs_optional: bool = False
    """Whether a step may leave ``inputs`` out."""


_L: Final = frozenset({Platform.LINUX})
_W: Final = frozenset({Platform.WINDOWS})
_LW: Final = _L | _W

ACTIONS: Final[dict[str, ActionSpec]] = {
    # general execution
    "ExecuteBash": ActionSpec("execute_bash", _L, Shape.MAPPING, implemented=True),
    "ExecuteBinary": ActionSpec("execute_binary", _LW, Shape.MAPPING, implemented=True),
    "ExecuteDocument": ActionSpec("execute_document", _LW, Shape.MAPPING, implemented=True),
    "ExecutePowerShell": ActionSpec("execute_powershell", _W, Shape.MAPPING, implemented=True),
    "Assert": ActionSpec("assertion", _LW, Shape.CONDITION, implemented=True),
    # download and upload
    "S3Download": ActionSpec("s3_download", _LW, Shape.LIST, implemented=False),
    "S3Upload": ActionSpec("s3_upload", _LW, Shape.LIST, implemented=False),
    "WebDownload": ActionSpec("web_download", _LW, Shape.LIST, implemented=False),
    # file system
    "AppendFile": ActionSpec("append_file", _LW, Shape.LIST, implemented=True),
    "CopyFile": ActionSpec("copy_file", _LW, Shape.LIST, implemented=True),
    "CopyFolder": ActionSpec("copy_folder", _LW, Shape.LIST, implemented=True),
    "CreateFile": ActionSpec("create_file", _LW, Shape.LIST, implemented=True),
    "CreateFolder": ActionSpec("create_folder", _LW, Shape.LIST, implemented=True),
    "CreateSymlink": ActionSpec("create_symlink", _L, Shape.LIST, implemented=True),
    "DeleteFile": ActionSpec("delete_file", _LW, Shape.LIST, implemented=True),
    "DeleteFolder": ActionSpec("delete_folder", _LW, Shape.LIST, implemented=True),
    "ListFiles": ActionSpec("list_files", _LW, Shape.LIST, implemented=True),
    "MoveFile": ActionSpec("move_file", _LW, Shape.LIST, implemented=True),
    "MoveFolder": ActionSpec("move_folder", _LW, Shape.LIST, implemented=True),
    "ReadFile": ActionSpec("read_file", _LW, Shape.LIST, implemented=True),
    "SetFileEncoding": ActionSpec("set_file_encoding", _LW, Shape.LIST, implemented=True),
    "SetFileOwner": ActionSpec("set_file_owner", _L, Shape.LIST, implemented=True),
    "SetFolderOwner": ActionSpec("set_folder_owner", _L, Shape.LIST, implemented=True),
    "SetFilePermissions": ActionSpec("set_file_permissions", _L, Shape.LIST, implemented=True),
    "SetFolderPermissions": ActionSpec("set_folder_permissions", _L, Shape.LIST, implemented=True),
    # software installation
    "InstallMSI": ActionSpec("install_msi", _W, Shape.MAPPING, implemented=True),
    "UninstallMSI": ActionSpec("uninstall_msi", _W, Shape.MAPPING, implemented=True),
    # system
    "Reboot": ActionSpec("reboot", _LW, Shape.MAPPING, implemented=True, inputs_optional=True),
    "SetRegistry": ActionSpec("set_registry", _W, Shape.LIST, implemented=True),
    "UpdateOS": ActionSpec("update_os", _LW, Shape.MAPPING, implemented=True, inputs_optional=True),
}
