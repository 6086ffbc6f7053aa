"""Linux: the variables this process was given."""

import os
import sys
from collections.abc import Mapping

assert sys.platform == "linux"


def variables() -> Mapping[str, str]:
    """All of them; bytes that are no UTF-8 survive (surrogateescape)."""
    return os.environ
