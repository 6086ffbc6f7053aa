"""The input that is octal permissions, and the decimal forms that converters make of them."""

import re
from typing import Final

from awstoe.actions.fields import Field, describe
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform
from awstoe.late_patterns import pattern

_MODE: Final = pattern("(?:0o)?([0-7]{3,4})|0([0-7]{4})")
_USUAL_MODES: Final = frozenset(
    (
        *(0o400, 0o440, 0o444, 0o500, 0o550, 0o555, 0o600, 0o640, 0o644, 0o660, 0o664, 0o666),
        *(0o700, 0o710, 0o711, 0o750, 0o751, 0o754, 0o755, 0o770, 0o771, 0o774, 0o775, 0o777),
        *(0o1770, 0o1775, 0o1777, 0o2750, 0o2755, 0o2770, 0o2775, 0o2777, 0o4711, 0o4750, 0o4755),
        *(0o6755,),
    )
)


def decimal_mode(text: str) -> int | None:
    """Return the usual permissions that ``text`` is the decimal form of, or None.

    Programs that convert YAML to JSON or back write 0644 as 420.
    """
    if not re.fullmatch("[1-9][0-9]{2,3}", text):
        return None
    number = int(text)
    return number if number in _USUAL_MODES else None


class Permissions(Field):
    """Octal permissions of 3 or 4 digits, as written in the document (Linux only).

    A leading ``0`` or ``0o`` is accepted as well.
    """

    kind = "octal string"

    def __init__(self, help: str) -> None:
        super().__init__(help, platforms=frozenset({Platform.LINUX}))

    def parse(self, value: Value, platform: Platform) -> int:
        del platform
        found = _MODE.fullmatch(self.text(value))
        if found is None:
            msg = f"expected octal permissions of 3 or 4 digits such as 0644, got {describe(value)}"
            raise ValueError(msg)
        return int(found[1] or found[2], 8)
