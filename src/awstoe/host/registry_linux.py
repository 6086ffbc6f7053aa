"""The Linux side of the registry: documents that use it are refused before they run."""

import sys

from awstoe.errors import ActionError

assert sys.platform == "linux"


def set_value(path: str, name: str, kind: str, value: int | bytes | str | list[str]) -> None:
    """Refuse: there is no registry.

    Raises:
        ActionError: Always.
    """
    del name, kind, value
    raise ActionError(
        f"there is no registry on Linux, and so no key {path!r}",
        hint="run the document on Windows",
    )
