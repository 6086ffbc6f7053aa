"""`python -m awstoe_dev.targets`: the names of the build's targets, a line each, for scripts."""

from awstoe_build.targets import TARGETS

if __name__ == "__main__":
    print("\n".join(TARGETS))
