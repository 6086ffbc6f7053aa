"""Writes a PowerShell script that installs updates with the Windows Update Agent; not an action.

The agent uses the update source that is set on the machine, such as a WSUS server.
"""

import re
from collections.abc import Sequence
from typing import Final

from awstoe.actions.powershell import quoted

_SCRIPT: Final = r"""
$ErrorActionPreference = 'Stop'
$include = @(INCLUDE)
$exclude = @(EXCLUDE)

function Test-Wanted($update, $patterns) {
    foreach ($pattern in $patterns) {
        if ($pattern -match '^(KB)?\d+$') {
            if (@($update.KBArticleIDs) -contains ($pattern -replace '^KB', '')) { return $true }
        } elseif ($update.Title -like $pattern) {
            return $true
        }
    }
    return $false
}

$session = New-Object -ComObject Microsoft.Update.Session
$session.ClientApplicationID = 'awstoe'
$found = $session.CreateUpdateSearcher().Search("IsInstalled=0 and IsHidden=0 and Type='Software'")
$wanted = New-Object -ComObject Microsoft.Update.UpdateColl
foreach ($update in $found.Updates) {
    if ($include.Count -and -not (Test-Wanted $update $include)) { continue }
    if (Test-Wanted $update $exclude) { Write-Output "excluded: $($update.Title)"; continue }
    if ($update.InstallationBehavior.CanRequestUserInput) {
        Write-Output "skipped, as it asks questions: $($update.Title)"
        continue
    }
    if (-not $update.EulaAccepted) { $update.AcceptEula() }
    Write-Output "to install: $($update.Title)"
    [void]$wanted.Add($update)
}
if ($wanted.Count -eq 0) { Write-Output 'nothing to install'; exit 0 }

$downloader = $session.CreateUpdateDownloader()
$downloader.Updates = $wanted
$downloaded = $downloader.Download()
if ($downloaded.ResultCode -ne 2) {
    [Console]::Error.WriteLine("downloading ended with result $($downloaded.ResultCode)")
}
$installer = $session.CreateUpdateInstaller()
$installer.Updates = $wanted
$result = $installer.Install()
$failed = 0
for ($at = 0; $at -lt $wanted.Count; $at++) {
    $one = $result.GetUpdateResult($at)
    if ($one.ResultCode -eq 2) {
        Write-Output "installed: $($wanted.Item($at).Title)"
    } else {
        $failed++
        $code = '0x{0:X8}' -f $one.HResult
        [Console]::Error.WriteLine("not installed ($code): $($wanted.Item($at).Title)")
    }
}
if ($result.RebootRequired) { Write-Output 'REBOOT_MARK' }
if ($failed) { exit 1 }
exit 0
"""
_PLACES: Final = re.compile(r"INCLUDE|EXCLUDE|REBOOT_MARK")
REBOOT_MARK: Final = "a reboot is needed to finish the updates"


def script(include: Sequence[str], exclude: Sequence[str]) -> str:
    """Return a script that installs what is included, or everything, except what is excluded.

    Args:
        include: KB numbers, or patterns with ``*`` for titles.
        exclude: The same.
    """
    values = {
        "INCLUDE": ", ".join(map(_pattern, include)),
        "EXCLUDE": ", ".join(map(_pattern, exclude)),
        "REBOOT_MARK": REBOOT_MARK,
    }
    # All in one pass: a pattern may contain one of these words.
    return _PLACES.sub(lambda place: values[place[0]], _SCRIPT.lstrip())


def _pattern(text: str) -> str:
    """Quote a pattern for PowerShell's ``-like``, so that only ``*`` is special."""
    for sign in "`[]?":
        text = text.replace(sign, f"`{sign}")
    return quoted(text)
