"""Parses ``{{ ... }}`` references and replaces them with their values.

Only text that follows the grammar is a reference; anything else between braces (Go templates,
Jinja, ``{{ssm:x}}``) stays text. Substitution is a single pass: references in a substituted value
are not resolved. A string that consists of one reference takes the value with its type.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from awstoe import limits
from awstoe.expressions.values import Value, quoted


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
    """``loop``, or the name of a loop."""
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


class LocatedReference(NamedTuple):
    """A reference and its position in a text."""

    reference: Reference
    start: int
    """Its offset in the text, in characters."""
    text: str
    """As written, braces included."""


class Resolver(Protocol):
    """Provides the values of references."""

    def value(self, reference: Reference) -> Value:
        """Return the value of ``reference``.

        Raises:
            LookupError: It is not a reference here (a loop variable outside a loop): it stays text.
            AwstoeError: It has no value.
        """


class Refusal(NamedTuple):
    """Why a reference can never have a value."""

    code: str
    """A stable identifier for tools, for example ``unknown-context-key``."""
    message: str
    hint: str
    """What to do; may be empty."""


CONTEXT_KEYS: Final = (
    "executionId",
    "accountId",
    "region",
    "osPlatform",
    "osName",
    "osVersion",
    "date",
    "dateTime",
    "uuid",
    "hostname",
    "phase",
    "step",
)
"""The keys that are valid after ``context:``."""

_SPACES: Final = " \t\r\n"
_RESOLVE: Final = "aws:ssm:resolve("

# Braces and their content. The content is possessive and contains no brace, so that every character
# is read a bounded number of times, whatever the text.
_BRACES: Final = re.compile(r"\{\{([^{}\0]*+)\}\}")
# Strings rather than compiled expressions: few documents need them, and compiling costs start-up.
_NAME: Final = r"[A-Za-z0-9_-]{3,128}"
_CHAIN: Final = (
    r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.(inputs|outputs)(?:\[([0-9]{1,9})\])?\.([A-Za-z0-9_-]+)"
)
_LOOP: Final = r"([A-Za-z0-9_-]+)\.(index|value)"
_SSM_NAME: Final = r"[A-Za-z0-9_.\-/:+=@]+"
_ESCAPED_BYTE: Final = r"%([0-9A-Fa-f]{2})"
_REFUSED_METADATA: Final = frozenset({"iam", "identity-credentials"})


def _ssm(name: str) -> SsmReference:
    """Return the reference ``aws:ssm:<name>``. A malformed ``resolve`` is kept as the name."""
    inner, levels = f"aws:ssm:{name}", 0
    while levels < limits.SSM_RESOLVE_DEPTH and inner.startswith(_RESOLVE) and inner[-1] == ")":
        inner = inner[len(_RESOLVE) : -1].strip(_SPACES)
        levels += 1
    if levels == 0:
        return SsmReference(name)
    if inner.startswith("aws:ssm:"):
        found: VariableReference | SsmReference = SsmReference(inner.removeprefix("aws:ssm:"))
    elif re.fullmatch(_NAME, inner):
        found = VariableReference(inner)
    else:
        return SsmReference(name)
    for _ in range(levels - 1):
        found = SsmReference(found)
    return SsmReference(found)


_PREFIXES: Final[tuple[tuple[str, Callable[[str], Reference]], ...]] = (
    ("env:", EnvironmentReference),
    ("context:", ContextReference),
    ("aws:ssm:", _ssm),
    ("aws:imds:", ImdsReference),
)


def _parsed(content: str) -> Reference | None:
    """Return the reference between the braces, or None if it does not follow the grammar."""
    if ":" in content:
        for prefix, reference in _PREFIXES:
            if content.startswith(prefix):
                return reference(content.removeprefix(prefix))
        return None
    if re.fullmatch(_NAME, content):
        return VariableReference(content)
    if match := re.fullmatch(_CHAIN, content):
        phase, step, side, position, variable = match.groups()
        return ChainReference(phase, step, side, int(position or 0), variable)
    match = re.fullmatch(_LOOP, content)
    return LoopReference(match[1], match[2]) if match else None


@lru_cache(maxsize=4096)
def _compiled(text: str) -> "tuple[str | LocatedReference, ...]":
    """Return the ``parts`` of a text that contains braces."""
    found: list[str | LocatedReference] = []
    end = 0
    for match in _BRACES.finditer(text):
        reference = _parsed(match[1].strip(_SPACES))
        if reference is None:
            continue
        if match.start() > end:
            found.append(text[end : match.start()])
        found.append(LocatedReference(reference, match.start(), match[0]))
        end = match.end()
    if end < len(text):
        found.append(text[end:])
    return tuple(found)


def parts(text: str) -> "tuple[str | LocatedReference, ...]":
    """Split ``text`` into plain text (never empty) and references, in order."""
    if "{{" not in text:
        return (text,) if text else ()
    return _compiled(text)


def find(text: str) -> tuple[LocatedReference, ...]:
    """Return the references in ``text``, in order."""
    return tuple(part for part in parts(text) if isinstance(part, LocatedReference))


def references_in(value: Value) -> Iterator[LocatedReference]:
    """Yield the references in all strings of ``value``, in order; not in keys of mappings."""
    if isinstance(value, str):
        yield from find(value)
    elif isinstance(value, list):
        for entry in value:
            yield from references_in(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from references_in(entry)


def as_text(value: Value) -> str:
    """Return ``value`` as inserted into a text: lists and mappings as JSON, None as ''."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text_of(part: "str | LocatedReference", resolver: Resolver) -> str:
    if isinstance(part, str):
        return part
    try:
        return as_text(resolver.value(part.reference))
    except LookupError:
        return part.text


def _substituted(text: str, resolver: Resolver) -> Value:
    """Return ``text`` with its references replaced; one reference alone keeps its value's type."""
    if "{{" not in text:
        return text
    found = _compiled(text)
    if len(found) == 1 and isinstance(found[0], LocatedReference):
        try:
            return resolver.value(found[0].reference)
        except LookupError:
            return text
    return "".join(_text_of(part, resolver) for part in found)


def substitute(value: Value, resolver: Resolver) -> Value:
    """Return ``value`` with the references in its strings replaced, also in lists and mappings.

    A string that consists of one reference becomes the value, with its type; otherwise the value is
    inserted as text. A reference that the resolver does not know stays unchanged.

    Raises:
        AwstoeError: A reference has no value.
    """
    if isinstance(value, str):
        return _substituted(value, resolver)
    if isinstance(value, list):
        return [substitute(entry, resolver) for entry in value]
    if isinstance(value, dict):
        return {key: substitute(entry, resolver) for key, entry in value.items()}
    return value


def _unknown_key(key: str) -> Refusal:
    """Return the refusal of a ``context:`` key, with the key that was probably meant."""
    import difflib  # noqa: PLC0415 - costs start-up time, and only mistakes need it

    by_folded = {known.casefold(): known for known in CONTEXT_KEYS}
    close = difflib.get_close_matches(key.strip().casefold()[:40], by_folded, n=1)
    hint = f"did you mean 'context:{by_folded[close[0]]}'? " if close else ""
    return Refusal(
        "unknown-context-key",
        f"unknown context key {quoted(key)}",
        f"{hint}use one of {', '.join(CONTEXT_KEYS)}",
    )


def _metadata_segments(path: str) -> list[str] | None:
    """Return the lower-case segments of ``path`` below ``meta-data/``; None if it leaves it.

    The path is read as liberally as any server or proxy might: percent escapes are decoded, empty
    and ``.`` segments dropped, ``..`` applied, queries and invisible characters removed.
    """
    for _ in range(2):
        path = re.sub(_ESCAPED_BYTE, lambda match: chr(int(match[1], 16)), path)
    path = "".join(character for character in path if character > " ").replace("\\", "/")
    segments: list[str] = []
    for segment in re.split(r"[?#]", path, maxsplit=1)[0].casefold().split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            if not segments:
                return None
            segments.pop()
        elif name not in {"", "."}:
            segments.append(name)
    return segments


def _imds_problem(path: str) -> Refusal | None:
    segments = _metadata_segments(path)
    if segments is None:
        return Refusal(
            "imds-path",
            f"the metadata path {quoted(path)} is outside 'meta-data/'",
            "use a path below meta-data/ without '..', for example placement/region",
        )
    if not segments:
        return _empty("aws:imds:", "a metadata path, for example 'aws:imds:placement/region'")
    if segments[0] in _REFUSED_METADATA:
        return Refusal(
            "imds-credentials",
            f"the metadata path {quoted(path)} is below '{segments[0]}/', which contains"
            " credentials",
            "remove it: documents cannot read the instance's credentials, and AWS tools find them"
            " on their own",
        )
    return None


def _ssm_problem(name: str) -> Refusal | None:
    if not name:
        return _empty("aws:ssm:", "a parameter's name, for example 'aws:ssm:/my/parameter'")
    if not re.fullmatch(_SSM_NAME, name):
        return Refusal(
            "ssm-name",
            f"{quoted(name)} is not a valid name of an SSM parameter",
            "use letters, digits and . - _ / : + = @, or resolve(NAME) with the name of a "
            "parameter of this document or another aws:ssm: reference",
        )
    return None


def _empty(prefix: str, expected: str) -> Refusal:
    return Refusal("empty-reference", f"'{prefix}' has nothing after it", f"add {expected}")


def _context_problem(key: str) -> Refusal | None:
    if not key:
        return _empty("context:", f"one of {', '.join(CONTEXT_KEYS)}")
    return None if key in CONTEXT_KEYS else _unknown_key(key)


def problem(reference: Reference) -> Refusal | None:
    """Return why ``reference`` can never have a value, judged by itself alone, or None."""
    while isinstance(reference, SsmReference) and not isinstance(reference.name, str):
        reference = reference.name
    match reference:
        case ContextReference(key):
            return _context_problem(key)
        case EnvironmentReference(""):
            return _empty("env:", "the name of an environment variable, for example 'env:HOME'")
        case ImdsReference(path):
            return _imds_problem(path)
        case SsmReference(str(name)):
            return _ssm_problem(name)
        case _:
            return None
