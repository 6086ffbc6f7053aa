"""``{{ ... }}`` references: their grammar, and putting values in their place.

Only what has the grammar is a reference; anything else between braces (Go templates, Jinja,
``{{ssm:x}}``) is text. Substitution is one pass: text that came out of a reference is never looked
at again. A string that is one reference as a whole takes the value with its type.
"""

from typing import NamedTuple, Protocol

from awstoe.expressions.values import Value


class VariableReference(NamedTuple):
    """``{{ NAME }}``: a parameter or a constant."""

    name: str


class ChainReference(NamedTuple):
    """``{{ phase.step.outputs[i].variable }}``, or the same with ``inputs``."""

    phase: str
    step: str
    side: str
    """``inputs`` or ``outputs``."""
    position: int
    """The operation, from 0."""
    variable: str


class LoopReference(NamedTuple):
    """``{{ loop.index }}``, ``{{ NAME.value }}``."""

    loop: str
    """``loop``, or what may be the name of a loop."""
    member: str
    """``index`` or ``value``."""


class EnvironmentReference(NamedTuple):
    """``{{ env:NAME }}``."""

    name: str


class ContextReference(NamedTuple):
    """``{{ context:KEY }}``."""

    key: str


class SsmReference(NamedTuple):
    """``{{ aws:ssm:NAME }}``, or ``{{ aws:ssm:resolve(NAME) }}`` where ``name`` is a reference."""

    name: "str | VariableReference | SsmReference"


class ImdsReference(NamedTuple):
    """``{{ aws:imds:PATH }}``."""

    path: str


Reference = (
    VariableReference
    | ChainReference
    | LoopReference
    | EnvironmentReference
    | ContextReference
    | SsmReference
    | ImdsReference
)


class Placed(NamedTuple):
    """A reference in a text."""

    reference: Reference
    start: int
    """Its offset in the text, in characters."""
    text: str
    """As it stands there, braces included."""


class Resolver(Protocol):
    """Knows the values of references."""

    def value(self, reference: Reference) -> Value:
        """The value of ``reference``.

        Raises:
            LookupError: It is no reference here (a loop variable outside a loop): it stays text.
            AwstoeError: It has no value.
        """
