"""The version resource and the manifest of the executable for Windows."""

from typing import Final

_OWNER: Final = "the awstoe authors"
_COPYRIGHT: Final = f"Copyright 2026 {_OWNER}. Licensed under the Apache License 2.0."
_COMMENTS: Final = (
    "An independent implementation of the AWS Task Orchestrator and Executor's public document"
    " format; not affiliated with Amazon.com, Inc. Run 'awstoe version' for the commit."
)
_LANGUAGE: Final = 0x0409
"""English (United States). The name of the string table, 040904B0, is this and ``_UNICODE``."""
_UNICODE: Final = 1200

MANIFEST: Final = """\
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3">
    <security>
      <requestedPrivileges>
        <requestedExecutionLevel level="asInvoker" uiAccess="false"/>
      </requestedPrivileges>
    </security>
  </trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
    <application>
      <supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/>
    </application>
  </compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3">
    <windowsSettings>
      <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
      <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
    </windowsSettings>
  </application>
</assembly>
"""
"""Its supportedOS is that of Windows 10 and 11 and of Windows Server 2016 and later."""


def text(version: str, *, file: str) -> str:
    """Return the version resource in the form that PyInstaller reads.

    Args:
        version: The program's version, three numbers.
        file: The file name of the executable.
    """
    numbers = (*(int(part) for part in version.split(".")), 0)
    strings = {
        "Comments": _COMMENTS,
        "CompanyName": _OWNER,
        "FileDescription": "Runs AWSTOE component documents",
        "FileVersion": version,
        "InternalName": file.partition(".")[0],
        "LegalCopyright": _COPYRIGHT,
        "OriginalFilename": file,
        "ProductName": file.partition(".")[0],
        "ProductVersion": version,
    }
    table = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in strings.items())
    return (
        "VSVersionInfo(\n"
        f"    ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0,"
        " OS=0x40004, fileType=1, subtype=0),\n"
        f"    kids=[StringFileInfo([StringTable('{_LANGUAGE:04X}{_UNICODE:04X}', [{table}])]),\n"
        f"          VarFileInfo([VarStruct('Translation', [{_LANGUAGE}, {_UNICODE}])])],\n"
        ")\n"
    )
