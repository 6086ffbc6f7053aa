"""The values a document is made of once its scalars are text."""

from typing import TypeAlias

Value: TypeAlias = "bool | int | str | list[Value] | dict[str, Value] | None"
"""What step inputs hold. Scalars of a document stay the text that stands in the file; ``bool`` and
``int`` appear only where an input's field asks for them."""
