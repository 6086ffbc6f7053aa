"""The script that the frozen program runs; ``awstoe.__main__`` stays a module of its package."""

import sys

from awstoe.__main__ import main

sys.exit(main())
