"""Prints the names of all targets, one per line, for scripts: `python -m awstoe_dev.targets`."""

from awstoe_build.targets import TARGETS

if __name__ == "__main__":
    print("\n".join(TARGETS))
