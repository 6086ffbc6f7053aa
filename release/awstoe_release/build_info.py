"""Reads what the build wrote into a program: commit, target, packages with their licenses."""

import json
from collections.abc import Mapping
from typing import Any

from awstoe.host.executable.frozen import BUILD_FACTS
from awstoe_build.inspection import bundle
from awstoe_release.failure import ReleaseFailure

BuildInfo = Mapping[str, Any]


def of(data: bytes, name: str) -> BuildInfo:
    """Return the build info in a program; empty if its build wrote none.

    Args:
        data: The program.
        name: What to call it in messages.

    Raises:
        BuildFailure: Our build did not make this program.
        ReleaseFailure: The build info is damaged.
    """
    text = bundle.read(data, name).files.get(BUILD_FACTS)
    if text is None:
        return {}
    try:
        info = json.loads(text)
    except ValueError as error:
        raise ReleaseFailure(f"{name}: {BUILD_FACTS} is damaged: {error}") from error
    if not isinstance(info, dict):
        raise ReleaseFailure(f"{name}: {BUILD_FACTS}: expected a JSON object")
    return info


def of_any(data: bytes, name: str) -> BuildInfo:
    """Return the build info in a program; empty also if another build made it.

    Raises:
        ReleaseFailure: The build info is damaged.
    """
    return of(data, name) if bundle.is_bundle(data) else {}
