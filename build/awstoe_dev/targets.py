"""Prints the names of the build's targets, one per line: ``python -m awstoe_dev.targets``."""

from awstoe_build.targets import TARGETS

if __name__ == "__main__":
    print("\n".join(TARGETS))
