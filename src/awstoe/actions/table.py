"""The registry: every action module there is, as a literal table.

The table is data so that a freezer sees the module names, a newcomer sees the whole list, and no
module is imported before a document uses it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from awstoe.host.platforms import Platform


class Shape(StrEnum):
    """What ``inputs`` of a step looks like."""

    LIST = "list"
    """A list of mappings, each one operation."""
    MAPPING = "mapping"
    """One mapping."""
    CONDITION = "condition"
    """One mapping that is a condition (Assert)."""


class Row(NamedTuple):
    """One action module."""

    module: str
    """Its module below ``awstoe.actions``."""
    platforms: frozenset[Platform]
    shape: Shape
    built: bool
    """Whether this version can run it; it can be validated in any case."""
    inputs_optional: bool = False
    """Whether a step may leave ``inputs`` out."""


_L: Final = frozenset({Platform.LINUX})
_W: Final = frozenset({Platform.WINDOWS})
_LW: Final = _L | _W

ACTIONS: Final[dict[str, Row]] = {
    # general execution
    "ExecuteBash": Row("execute_bash", _L, Shape.MAPPING, built=True),
    "ExecuteBinary": Row("execute_binary", _LW, Shape.MAPPING, built=True),
    "ExecuteDocument": Row("execute_document", _LW, Shape.MAPPING, built=True),
    "ExecutePowerShell": Row("execute_powershell", _W, Shape.MAPPING, built=True),
    "Assert": Row("assertion", _LW, Shape.CONDITION, built=True),
    # download and upload
    "S3Download": Row("s3_download", _LW, Shape.LIST, built=False),
    "S3Upload": Row("s3_upload", _LW, Shape.LIST, built=False),
    "WebDownload": Row("web_download", _LW, Shape.LIST, built=False),
    # file system
    "AppendFile": Row("append_file", _LW, Shape.LIST, built=True),
    "CopyFile": Row("copy_file", _LW, Shape.LIST, built=True),
    "CopyFolder": Row("copy_folder", _LW, Shape.LIST, built=True),
    "CreateFile": Row("create_file", _LW, Shape.LIST, built=True),
    "CreateFolder": Row("create_folder", _LW, Shape.LIST, built=True),
    "CreateSymlink": Row("create_symlink", _L, Shape.LIST, built=True),
    "DeleteFile": Row("delete_file", _LW, Shape.LIST, built=True),
    "DeleteFolder": Row("delete_folder", _LW, Shape.LIST, built=True),
    "ListFiles": Row("list_files", _LW, Shape.LIST, built=True),
    "MoveFile": Row("move_file", _LW, Shape.LIST, built=True),
    "MoveFolder": Row("move_folder", _LW, Shape.LIST, built=True),
    "ReadFile": Row("read_file", _LW, Shape.LIST, built=True),
    "SetFileEncoding": Row("set_file_encoding", _LW, Shape.LIST, built=True),
    "SetFileOwner": Row("set_file_owner", _L, Shape.LIST, built=True),
    "SetFolderOwner": Row("set_folder_owner", _L, Shape.LIST, built=True),
    "SetFilePermissions": Row("set_file_permissions", _L, Shape.LIST, built=True),
    "SetFolderPermissions": Row("set_folder_permissions", _L, Shape.LIST, built=True),
    # software installation
    "InstallMSI": Row("install_msi", _W, Shape.MAPPING, built=True),
    "UninstallMSI": Row("uninstall_msi", _W, Shape.MAPPING, built=True),
    # system
    "Reboot": Row("reboot", _LW, Shape.MAPPING, built=True, inputs_optional=True),
    "SetRegistry": Row("set_registry", _W, Shape.LIST, built=True),
    "UpdateOS": Row("update_os", _LW, Shape.MAPPING, built=True, inputs_optional=True),
}
