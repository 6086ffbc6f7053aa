"""Makes the project's virtual environment from requirements.lock, every file checked by its hash.

``make`` runs this with whatever Python the machine has, before anything is installed: it uses the
standard library only, keeps to syntax that old versions can read, and says in one line what is
missing. The product and its tooling are installed in editable form with the locked build backend,
so nothing is resolved or downloaded besides what the lock names.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(FOLDER, "bin", "python")


def missing() -> str:
    """What this machine lacks, as one line that says how to get it; empty when nothing."""
    found = sys.version_info[:2]
    if not OLDEST <= found <= NEWEST:
        return (
            f"Python 3.11, 3.12 or 3.13 is needed, {sys.executable} is {found[0]}.{found[1]}: "
            "name another with 'make PYTHON=python3.11 ...'"
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it apart from Python itself
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return (
            "Python's venv module is missing: "
            "install it with 'apt-get install python3-venv' (as root) and run make again"
        )
    return ""


def run(*command: str) -> None:
    """Run a program, its output shown; end with its exit code if it fails."""
    code = subprocess.call(command, cwd=ROOT)
    if code:
        sys.exit(f"make: '{' '.join(command)}' failed with exit code {code}")


def main() -> None:
    """Make the environment, or bring it up to the lock."""
    problem = missing()
    if problem:
        sys.exit("make: " + problem)
    print("make: installing what requirements.lock names into .venv", file=sys.stderr)
    if not os.access(PYTHON, os.X_OK):
        run(sys.executable, "-m", "venv", "--clear", FOLDER)
    pip = (PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    run(*pip, "--require-hashes", "--only-binary=:all:", "-r", "requirements.lock")
    editable = ("--no-build-isolation", "--no-deps", "--no-index", "--editable")
    run(*pip, *editable, ".", "--editable", "build")
    with open(os.path.join(FOLDER, "made-from-lock"), "w"):
        pass


if __name__ == "__main__":
    main()
