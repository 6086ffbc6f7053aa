"""InstallMSI and UninstallMSI with a real msiexec and a real MSI file, on Wine's machine."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fakes import wine

WIXL = shutil.which("wixl")
SOURCE = Path(__file__).parents[3] / "src"
PRODUCT = """\
<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="awstoe test" Language="1033" Version="1.0.0" Manufacturer="Example"
           UpgradeCode="2F8A1DF8-6C3E-4C5C-9D1E-3A5B5F6F0C11">
    <Package InstallerVersion="200" Compressed="yes"/>
    <Media Id="1" Cabinet="app.cab" EmbedCab="yes"/>
    <Property Id="COMPANYNAME" Value="nobody"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFilesFolder">
        <Directory Id="INSTALLDIR" Name="awstoe test">
          <Component Id="Readme" Guid="6A1E3C2B-7E1F-4C55-8B0A-0B8E2A7A9C22">
            <File Id="readme.txt" Source="readme.txt"/>
            <RegistryValue Root="HKLM" Key="Software\\awstoe test" Name="company" Type="string"
                           Value="[COMPANYNAME]"/>
          </Component>
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Readme"/></Feature>
  </Product>
</Wix>
"""

HOLDING = """
import subprocess, sys
from awstoe.host.files.write_lock import deny_writes

with deny_writes(sys.argv[1]):
    sys.exit(subprocess.call(["msiexec.exe", sys.argv[2], sys.argv[1], "/qn"]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(wine.missing()), reason=wine.missing()),
    pytest.mark.skipif(WIXL is None, reason="wixl is not installed"),
]


def step(name: str, path: str, **inputs: Any) -> dict[str, Any]:  # noqa: ANN401
    accepted = {"ignoreAuthenticodeSignatureErrors": True, "allowUnsignedInstaller": True}
    return {"name": name.lower(), "action": name, "inputs": {"path": path, **accepted, **inputs}}


def test_application_is_installed_and_removed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("windows package")
    (folder / "readme.txt").write_text("read me\n")
    (folder / "app.wxs").write_text(PRODUCT)
    subprocess.run([WIXL or "", "-o", "app.msi", "app.wxs"], cwd=folder, check=True)
    (folder / "bad.msi").write_text("no installer")
    packages = [str(SOURCE), *(each for each in sys.path if each.endswith("site-packages"))]
    with wine.machine(tmp_path_factory.mktemp("windows"), packages) as machine:

        def run(*steps: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            document = {"schemaVersion": "1.0", "phases": [{"name": "build", "steps": steps}]}
            (folder / "doc.json").write_text(json.dumps(document))
            ended = machine.run(
                machine.python,
                *("-m", "awstoe", "run", "-d", "doc.json", "-l", "logs"),
                folder=folder,
                environment={"AWSTOE_REBOOT": "exit"},
                seconds=300,
            )
            assert ended.stdout, ended.stderr
            return ended.returncode, json.loads(ended.stdout)

        installer = wine.path(folder / "app.msi")
        log = wine.path(folder / "made" / "install.log")
        properties = {"COMPANYNAME": '"Example Corp."'}
        ended, summary = run(step("InstallMSI", installer, logFile=log, properties=properties))
        assert (ended, summary["failureMessage"]) == (0, "")
        installed = machine.drive_c / "Program Files" / "awstoe test" / "readme.txt"
        other = machine.drive_c / "Program Files (x86)" / "awstoe test" / "readme.txt"
        assert installed.exists() or other.exists()
        assert (folder / "made" / "install.log").stat().st_size > 1000
        keys = (r"HKLM\Software\awstoe test", r"HKLM\Software\Wow6432Node\awstoe test")
        values = b"".join(machine.run("reg.exe", "query", key, seconds=60).stdout for key in keys)
        assert b"Example Corp." in values

        ended, summary = run(step("UninstallMSI", installer))
        assert (ended, summary["failureMessage"]) == (0, "")
        assert not installed.exists()
        assert not other.exists()

        ended, summary = run(step("UninstallMSI", installer))
        assert (ended, summary["failureMessage"]) == (0, "")  # 1605

        # Wine cannot check signatures, so this tests only what follows the check.
        for switch in ("/i", "/x"):
            held = machine.run(machine.python, "-c", HOLDING, installer, switch, seconds=300)
            assert held.returncode == 0
            assert (installed.exists() or other.exists()) == (switch == "/i")

        ended, summary = run(step("InstallMSI", wine.path(folder / "bad.msi")))
        assert ended == 1
        assert "msiexec ended with exit code" in summary["failureMessage"]
