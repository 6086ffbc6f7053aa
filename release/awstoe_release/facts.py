"""What the build wrote into a program about itself: commit, target, packages with licences."""

import json
from collections.abc import Mapping
from typing import Any

from awstoe.host.executable.frozen import BUILD_FACTS
from awstoe_build.inspection import bundle
from awstoe_release.failure import ReleaseFailure

Facts = Mapping[str, Any]


def of(data: bytes, name: str) -> Facts:
    """The facts in a program; empty when its build wrote none.

    Args:
        data: The program.
        name: What to call it in messages.

    Raises:
        ReleaseFailure: It is no program of our build, or the facts are damaged.
    """
    files = bundle.read(data, name).files
    text = files.get(BUILD_FACTS)
    if text is None:
        return {}
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise ReleaseFailure(f"{name}: {BUILD_FACTS} is damaged: {error}") from error
    if not isinstance(facts, dict):
        raise ReleaseFailure(f"{name}: {BUILD_FACTS}: expected a JSON object")
    return facts


def of_any(data: bytes, name: str) -> Facts:
    """The facts in a program; empty as well when somebody else's build made it.

    Raises:
        ReleaseFailure: The facts are damaged.
    """
    return of(data, name) if bundle.is_bundle(data) else {}
