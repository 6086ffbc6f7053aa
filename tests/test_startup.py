"""The modules that the program loads at startup, which is most of a short run's time."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
AWS_AND_TRUST = {"boto3", "botocore", "requests", "cryptography", "tuf", "urllib3"}
FOR_TERMINALS = {"rich", "pygments", "markdown_it"}
# Each of these takes a millisecond or more, as long as a bash step.
HEAVY = {
    *("dataclasses", "inspect", "tempfile", "logging", "uuid", "pathlib", "asyncio", "http"),
    *("shutil", "shlex"),  # shutil loads all compressors
    "hashlib",  # with OpenSSL, which the single file would unpack at every start
}


def loaded_by(*command: str, folder: Path) -> set[str]:
    """Return the top-level modules that this interpreter imports for ``command``."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XDG_STATE_HOME": str(folder)},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    names = re.findall(r"^import time:.*\|\s*([\w.]+)$", ended.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def loaded_by_awstoe(*arguments: str, folder: Path) -> set[str]:
    """Return the modules that awstoe loads and an empty program does not."""
    return loaded_by("-m", "awstoe", *arguments, folder=folder) - loaded_by(
        "-c", "pass", folder=folder
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the example uses ExecuteBash")
def test_a_local_run_without_a_terminal_loads_only_what_it_uses(tmp_path: Path) -> None:
    loaded = loaded_by_awstoe(
        *("run", "--documents", str(EXAMPLES / "hello-world.yml")),
        *("--log-directory", str(tmp_path), "--state-directory", str(tmp_path / "state")),
        folder=tmp_path,
    )
    assert "yaml" in loaded
    assert loaded & (AWS_AND_TRUST | FOR_TERMINALS | HEAVY) == set()


def test_validating_loads_only_what_it_uses(tmp_path: Path) -> None:
    loaded = loaded_by_awstoe("validate", "-d", str(EXAMPLES / "hello-world.yml"), folder=tmp_path)
    assert loaded & (AWS_AND_TRUST | FOR_TERMINALS | HEAVY | {"subprocess"}) == set()


def test_the_version_loads_neither_yaml_nor_argparse_nor_json(tmp_path: Path) -> None:
    loaded = loaded_by_awstoe("--version", folder=tmp_path)
    unwanted = {"yaml", "argparse", "json", "subprocess", *HEAVY, *FOR_TERMINALS}
    assert loaded & unwanted == set()
