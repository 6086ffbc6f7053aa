"""Writes scripts that replace built programs, with the real code for trust and updates.

Like a built program, they have the release keys, and they verify and update themselves with the
product's own code. They start with the interpreter of the tests, so a release takes only seconds.
"""

import sys
from pathlib import Path

_TEXT = """\
#!{python}
# {target} {version} {salt}
import os
import sys

version, trust_folder = {version!r}, {trust!r}
arguments = sys.argv[1:]
path = os.path.realpath(__file__)
if arguments == ["--version"]:
    print("awstoe", version)
    sys.exit(0)
if arguments[:1] == ["version"]:
    print('{{"version": "' + version + '", "target": "{target}"}}')
    sys.exit(0)

from awstoe.reporting.console import Console
from awstoe.errors import AwstoeError

console = Console()
try:
    if arguments[:1] == ["verify-signature"]:
        from awstoe.cli import verify_signature

        key = os.path.join(trust_folder, "awstoe.gpg")
        sys.exit(verify_signature.run([path, "--key", key], console))
    if arguments[:1] == ["self-update"]:
        from awstoe.cli import self_update
        from awstoe.trust import release_trust
        from awstoe.update.installation import Origin, this_installation
        from awstoe.update.releases import Version

        program = this_installation()._replace(
            path=path,
            named=path,
            version=Version(version),
            origin=Origin.SINGLE_FILE,
            trust=release_trust.read(trust_folder),
            running=os.stat(path),
            metadata_folder=os.path.join(os.environ["XDG_STATE_HOME"], "awstoe"),
        )
        machine = program.machine._replace(architecture="{architecture}")
        program = program._replace(machine=machine)
        sys.exit(self_update.update(program, arguments[1:], console))
except AwstoeError as error:
    sys.stderr.write(f"{{error.message}}\\n{{error.hint or ''}}\\n")
    sys.exit(error.exit_code)
sys.exit(2)
"""


def write(folder: Path, version: str, targets: tuple[str, ...], trust: str, salt: str = "") -> Path:
    """Write the programs of a version, ``<os>/<arch>/awstoe``, and return the folder."""
    for target in targets:
        path = folder / target / "awstoe"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = _TEXT.format(
            python=sys.executable,
            target=target,
            architecture=target.partition("/")[2],
            version=version,
            trust=trust,
            salt=salt,
        )
        path.write_text(text)
        path.chmod(0o755)
    return folder
