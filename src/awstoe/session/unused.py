"""Finds values of parameters that no document uses: a misspelled name keeps the default."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from awstoe.document.model import Document
from awstoe.document.suggestions import closest
from awstoe.errors import UsageError
from awstoe.expressions.values import quoted
from awstoe.session.request import RequestedDocument

_PAIR = frozenset({"name", "value"})
_KEYED_PAIR = frozenset({"parameterkey", "parametervalue"})


class Unused(NamedTuple):
    """A value that has no effect."""

    message: str
    hint: str


def declared(document: Document) -> frozenset[str]:
    """Return the names of the parameters and constants of ``document``."""
    return frozenset(
        [each.name for each in document.parameters] + [each.name for each in document.constants]
    )


def unused(
    requested: Sequence[RequestedDocument], documents: Sequence[Document]
) -> Iterator[Unused]:
    """Yield the values given for parameters that no document declares.

    A value given for one document alone must be declared in that document.

    Args:
        requested: The documents as they were requested.
        documents: The documents themselves, in the same order.
    """
    everywhere = frozenset[str]().union(*map(declared, documents))
    reported: set[str] = set()
    for wanted, document in zip(requested, documents, strict=True):
        known = declared(document)
        for name in wanted.parameters:
            if name in wanted.own:
                if name not in known:
                    yield Unused(
                        f"{document.path} does not declare the parameter {quoted(name)} that the"
                        " configuration file gives for it",
                        _hint(name, known, wanted.parameters),
                    )
            elif name not in everywhere and name not in reported:
                reported.add(name)
                yield Unused(
                    f"no document declares the parameter {quoted(name)}",
                    _hint(name, everywhere, wanted.parameters),
                )


def reject_unused(requested: Sequence[RequestedDocument], documents: Sequence[Document]) -> None:
    """Reject values given for parameters that no document declares.

    Raises:
        UsageError: There are some.
    """
    found = list(unused(requested, documents))
    if found:
        raise UsageError("\n".join(each.message for each in found), hint=found[0].hint)


def _hint(name: str, known: Collection[str], given: Mapping[str, str]) -> str:
    """Return what to do about a value for ``name``."""
    words = {each.lower(): value for each, value in given.items()}
    for pair in (_PAIR, _KEYED_PAIR):
        if name.lower() in pair and pair <= words.keys():
            key, value = sorted(pair)
            return f"write the parameter's name before '=': {words[key]}={words[value]}"
    if not known:
        return "declare it under 'parameters' in the document, or remove it"
    if close := closest(name, known):
        return f"did you mean {quoted(close)}?"
    return f"the parameters are {', '.join(sorted(known))}"
