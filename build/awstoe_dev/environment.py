"""Creates the project's virtual environment from requirements.lock, and checks every file's hash.

``make`` runs this with the machine's Python before anything is installed. So it uses only the
standard library and syntax that old versions can read, and names in one line what is missing. The
product and its tooling are installed in editable form with the locked build backend, so that
nothing is resolved, and nothing is downloaded that is not in the lock.
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
    """Return what this machine lacks and how to install it, in one line; empty if nothing."""
    found = sys.version_info[:2]
    if not OLDEST <= found <= NEWEST:
        return (
            f"Python 3.11, 3.12 or 3.13 is required, {sys.executable} is {found[0]}.{found[1]}: "
            "choose another one with 'make PYTHON=python3.11 ...'"
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - on Debian in a package of its own
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return (
            "Python's venv module is missing: "
            "run 'apt-get install python3-venv' as root, then run make again"
        )
    return ""


def run(*command: str) -> None:
    """Run a program and show its output. Exit with a message if it fails."""
    code = subprocess.call(command, cwd=ROOT)
    if code:
        sys.exit(f"make: '{' '.join(command)}' failed with exit code {code}")


def main() -> None:
    """Create the environment, or update it to the lock."""
    problem = missing()
    if problem:
        sys.exit("make: " + problem)
    print("make: installing the packages of requirements.lock into .venv", file=sys.stderr)
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
