"""Regular expressions that are compiled when they are used first.

To compile one takes up to a millisecond, and most are needed only for texts with a mistake.
"""

import re
from typing import cast


class _Late:
    """Stands for a pattern. After its first use, the pattern's methods are attributes of it."""

    def __init__(self, expression: str, flags: int) -> None:
        self._arguments = (expression, flags)

    def __getattr__(self, name: str) -> object:
        found = getattr(re.compile(*self._arguments), name)
        setattr(self, name, found)
        return cast("object", found)


def pattern(expression: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that is compiled when one of its methods is used first."""
    return cast("re.Pattern[str]", _Late(expression, flags))
