"""Writes requirements.lock: the resolved dependencies of pyproject.toml, with all file hashes.

One lock covers all supported Python versions and platforms (``--universal``). The resolver has an
environment of its own below out/, because only this program needs it.
"""

import os
import sys
import venv

from awstoe_dev.environment import ROOT, run

RESOLVER = "uv==0.13.*"


def main() -> None:
    """Resolve again. Keep versions that still satisfy the requirements, unless ``--upgrade``."""
    folder = os.path.join(ROOT, "out", "lock-venv")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
        run(python, "-m", "pip", "install", "--quiet", RESOLVER)
    resolve = (python, "-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev")
    every_platform = ("--universal", "--python-version", "3.11", "--generate-hashes")
    output = ("--no-annotate", "--quiet", "--custom-compile-command", "make lock")
    run(*resolve, *every_platform, *output, "--output-file", "requirements.lock", *sys.argv[1:])


if __name__ == "__main__":
    main()
