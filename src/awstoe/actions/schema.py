"""Reads an action module's schema and converts resolved values to its typed ``Inputs``."""

import importlib
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import NamedTuple, get_args

from awstoe.actions.contract import Conflict
from awstoe.actions.fields import Field
from awstoe.actions.table import ACTIONS, ActionSpec
from awstoe.expressions.values import Value


class Output(NamedTuple):
    """One output of an action."""

    name: str
    help: str


class Schema(NamedTuple):
    """Everything that is known about an action without running it."""

    name: str
    row: ActionSpec
    module: ModuleType
    summary: str
    description: str
    example: str
    fields: Mapping[str, Field]
    """By the key in the document, in the module's order."""
    required: frozenset[str]
    defaults: Mapping[str, object]
    outputs: tuple[Output, ...]
    conflict: Conflict | None
    conflict_at: str
    """The input at which a conflict is reported; empty for the inputs as a whole."""


@cache
def _fields(inputs: type) -> dict[str, tuple[str, Field]]:
    """Return the Python name and the field of each input, by its key in the document.

    An attribute without a field in its annotation (the condition of Assert) has no key.
    """
    found = {}
    for attribute, annotation in inputs.__annotations__.items():
        for item in get_args(annotation):
            if isinstance(item, Field):
                found[item.name or attribute] = (attribute, item)
    return found


@cache
def schema(action: str) -> Schema:
    """Import the module of ``action`` and return its schema.

    Raises:
        KeyError: There is no such action.
    """
    row = ACTIONS[action]
    module = importlib.import_module(f"awstoe.actions.{row.module}")
    first, _, rest = (module.__doc__ or "").partition("\n")
    inputs = module.Inputs
    defaults: dict[str, object] = inputs._field_defaults
    fields = _fields(inputs)
    outputs = getattr(module, "Outputs", None)
    return Schema(
        name=action,
        row=row,
        module=module,
        summary=first.partition(": ")[2].rstrip("."),
        description=rest.strip(),
        example=module.EXAMPLE,
        fields={key: field for key, (_, field) in fields.items()},
        required=frozenset(k for k, (attribute, _) in fields.items() if attribute not in defaults),
        defaults={k: defaults[a] for k, (a, _) in fields.items() if a in defaults},
        outputs=tuple(
            Output(name, next(item for item in get_args(annotation) if isinstance(item, str)))
            for name, annotation in (outputs.__annotations__ if outputs else {}).items()
        ),
        conflict=getattr(module, "conflict", None),
        conflict_at=getattr(module, "CONFLICT_AT", ""),
    )


def typed_inputs(action: str, given: Mapping[str, Value]) -> object:
    """Return the ``Inputs`` of ``action`` for one operation with all references resolved.

    Raises:
        ValueError: A value does not fit. The message names the input and what was expected.
    """
    found = schema(action)
    if found.conflict is not None and (conflict := found.conflict(given)):
        raise ValueError(conflict)
    arguments = {}
    for key, (attribute, field) in _fields(found.module.Inputs).items():
        if key not in given:
            if key in found.required:
                article = "an" if field.kind[0] in "aeiou" else "a"
                msg = f"the input {key!r} is missing; expected {article} {field.kind}"
                raise ValueError(msg)
            continue
        try:
            arguments[attribute] = field.convert(given[key])
        except ValueError as error:
            msg = f"input {key!r}: {error}"
            raise ValueError(msg) from None
    return found.module.Inputs(**arguments)
