"""Where the program starts. Kept bare: ``awstoe --version`` loads nothing else."""

import sys

from awstoe import __version__


def main() -> int:
    """Run the command line; gives the exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):
        sys.stdout.write(f"awstoe {__version__}\n")
        return 0
    import gc  # noqa: PLC0415 - see the module's docstring

    # A short run makes many objects that stay and hardly any garbage. Looking for it among them,
    # while modules are loaded and once more at the end, costs a fifth of a hello world.
    gc.set_threshold(50_000, 20, 20)
    from awstoe.cli.main import main as run  # noqa: PLC0415

    code = run(sys.argv[1:])
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
