"""Joins the outputs of a loop's iterations, per key with a newline, up to a limit."""

from awstoe import limits
from awstoe.engine.events import Outputs
from awstoe.expressions.references import as_text


class Collation:
    """Joins the outputs of iterations.

    Memory use stays below the limit for any number of iterations: what exceeds it is dropped, and
    ``capped`` is set.
    """

    __slots__ = ("_operations", "_size", "capped", "limit")

    def __init__(self, limit: int = limits.OUTPUT_VALUE_BYTES) -> None:
        self.limit = limit
        self._operations: list[dict[str, list[str]]] = []
        self._size = 0
        self.capped = False

    def add(self, outputs: Outputs) -> None:
        """Add the outputs of one iteration, or the joined outputs of several."""
        if self.capped:
            return
        for position, operation in enumerate(outputs):
            if position == len(self._operations):
                self._operations.append({})
            texts = self._operations[position]
            for key, value in operation.items():
                text = as_text(value)
                size = len(text) + 1
                if self._size + size > self.limit:
                    self.capped = True
                    return
                self._size += size
                texts.setdefault(key, []).append(text)

    def outputs(self) -> Outputs:
        """Return what has been collected."""
        return [
            {key: "\n".join(texts) for key, texts in operation.items()}
            for operation in self._operations
        ]
