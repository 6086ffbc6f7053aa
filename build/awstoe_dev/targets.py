"""`python -m awstoe_dev.targets [--cached]`: the targets of the build, for scripts.

With ``--cached`` only those whose layers are all in the cache: they take a minute, not a quarter of
an hour.
"""

import argparse
import sys

from awstoe_build import interpreters
from awstoe_build.__main__ import cache_folder
from awstoe_build.layers import Cache
from awstoe_build.targets import TARGETS


def main() -> int:
    """Print the names, a line each; gives the exit code."""
    parser = argparse.ArgumentParser(prog="awstoe_dev.targets", description=__doc__)
    parser.add_argument("--cached", action="store_true", help="only those that need no new layer")
    options = parser.parse_args()
    cache = Cache(cache_folder(), lambda _: None)
    for target in TARGETS.values():
        if not options.cached or not cache.missing(interpreters.layers(target)):
            print(target.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
