"""Where the program starts. Kept bare: ``awstoe --version`` loads nothing else."""

import sys

from awstoe import __version__


def main() -> int:
    """Run the command line; gives the exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):
        sys.stdout.write(f"awstoe {__version__}\n")
        return 0
    from awstoe.cli.main import main as run  # noqa: PLC0415 - see the module's docstring

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
