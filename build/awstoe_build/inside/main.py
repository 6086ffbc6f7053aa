"""The script that the frozen program runs, so that ``awstoe.__main__`` stays a normal module."""

import sys

from awstoe.errors import AwstoeError

try:
    from awstoe.__main__ import main

    code = main()
except AwstoeError as error:  # a part of the program could not be unpacked
    sys.stderr.write(f"awstoe: error: {error.message}\n  hint: {error.hint}\n")
    code = error.exit_code
sys.exit(code)
