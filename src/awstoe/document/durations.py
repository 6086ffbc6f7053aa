"""Reads durations such as ``10m``, for the number of seconds that a document has to contain."""

import re
from typing import Final

from awstoe.late_patterns import pattern

_UNITS: Final = {
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hr": 3600,
    "hrs": 3600,
    "hour": 3600,
    "hours": 3600,
    "d": 86400,
    "day": 86400,
    "days": 86400,
}
_PART: Final = pattern(r"([0-9]{1,9})\s*([a-z]+)\s*")
_CLOCK: Final = pattern(r"([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9]))?")
_WHOLE: Final = pattern(r"([0-9]{1,9})\.0+")


def seconds(text: str) -> int | None:
    """Return the seconds that ``text`` means (``1h30m``, ``10 minutes``, ``0:10:00``), or None."""
    folded = text.strip().casefold()
    if clock := _CLOCK.fullmatch(folded):
        hours, minutes, rest = clock.groups()
        if rest is not None:
            return int(hours) * 3600 + int(minutes) * 60 + int(rest)
        return int(hours) * 60 + int(minutes)
    if whole := _WHOLE.fullmatch(folded):
        return int(whole[1])
    if re.fullmatch(r"[0-9]{1,3}(?:[_, ][0-9]{3})+", folded):
        return int(re.sub(r"[_, ]", "", folded))
    found, end = 0, 0
    while part := _PART.match(folded, end):
        unit = _UNITS.get(part[2])
        if unit is None:
            return None
        found += int(part[1]) * unit
        end = part.end()
    return found if end and end == len(folded) else None
