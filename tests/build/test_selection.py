"""The libraries work without the modules that are excluded from the executable."""

import subprocess
import sys
import textwrap
from typing import Final

import pytest

from awstoe_build import selection

LIBRARIES: Final = {
    "the progress view": ("rich.live", "rich.progress", "rich.spinner", "rich.table"),
    "downloads": ("urllib3",),
    "updates": ("tuf.ngclient", "tuf.api.metadata", "securesystemslib.signer"),
    "signatures": (
        "cryptography.x509",
        "cryptography.hazmat.primitives.asymmetric.rsa",
        "pyasn1.codec.der.decoder",
    ),
    "documents": ("yaml",),
}


def without_excluded(code: str) -> str:
    """Run code without the excluded modules, and return its standard error."""
    start = f"import sys\nfor name in {sorted(selection.EXCLUDED)!r}: sys.modules[name] = None\n"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", start + textwrap.dedent(code)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.stderr


@pytest.mark.parametrize("names", LIBRARIES.values(), ids=LIBRARIES.keys())
def test_the_libraries_can_be_loaded(names: tuple[str, ...]) -> None:
    assert without_excluded("\n".join(f"import {name}" for name in names)) == ""
