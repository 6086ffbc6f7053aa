"""Where users can reach the project.

The project has no public address yet. Before publishing, its owner fills in these three values;
until then messages name the publisher of the release.
"""

from typing import Final

REPOSITORY: Final[str] = ""
"""URL of the source repository."""

ISSUES: Final[str] = ""
"""URL where users report bugs."""

SECURITY: Final[str] = ""
"""URL or email address where users report vulnerabilities and attacks, in private."""

_PUBLISHER: Final = "report it to the publisher of this program"


def report_bug() -> str:
    """Return the part of a hint that says where to report a bug."""
    return f"report it: {ISSUES}" if ISSUES else _PUBLISHER


def report_attack() -> str:
    """Return the part of a hint that says where to report what may be an attack."""
    return f"report it: {SECURITY}" if SECURITY else _PUBLISHER
