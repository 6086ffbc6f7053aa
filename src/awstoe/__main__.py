"""The program's entry point. Kept small: ``awstoe --version`` loads nothing else."""

import sys

from awstoe import __version__


def main() -> int:
    """Run the command line, and return the exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):
        try:
            sys.stdout.write(f"awstoe {__version__}\n")
            sys.stdout.flush()
        except (AttributeError, OSError):  # closed, full, or without a reader
            pass
        else:
            return 0
    import gc

    # A short run creates many objects that stay, and hardly any garbage. Collecting it while
    # modules are loaded and once more at exit takes a fifth of the time of a hello world.
    gc.set_threshold(50_000, 20, 20)
    from awstoe.cli.main import main as run

    code = run(sys.argv[1:])
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
