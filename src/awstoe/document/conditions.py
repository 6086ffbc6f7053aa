"""Parses conditions: the ``if`` of a step, and the inputs of Assert."""

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.document import expect, keys
from awstoe.document.declarations import flow_text
from awstoe.document.keys import listed
from awstoe.document.model import Branch, If, Mark
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe
from awstoe.expressions import conditions
from awstoe.expressions.conditions import Comparison, Condition, Logical
from awstoe.expressions.values import quoted
from awstoe.host.files import paths

_BRANCHES: Final = ("then", "else")
_PATHS: Final = frozenset({"fileExists", "folderExists", "binaryExists", "path"})
"""Keys whose values are paths on this machine."""
_HASH_DIGITS: Final = {
    "fileMD5Equals": 32,
    "fileSHA1Equals": 40,
    "fileSHA256Equals": 64,
    "fileSHA512Equals": 128,
}


class _Place(NamedTuple):
    """Where a condition is, and what is allowed there."""

    path: str
    step: StepFacts
    position: Position
    level: int
    """The number of logical operators around it."""
    extra: Collection[str] = ()
    """Keys that are allowed next to the operator."""

    def below(self, path: str) -> "_Place":
        return _Place(path, self.step, self.position, self.level + 1)


def parse_if(context: ParseContext, node: Node, path: str, step: StepFacts) -> If | None:
    """Parse the ``if`` of a step; return None after reporting its problems."""
    node, path = _only_entry(node, path)
    place = _Place(path, step, Position.CONDITION, 0, _BRANCHES)
    condition = _parse(context, node, place)
    if not isinstance(node, Mapping):
        return None
    then = _branch(context, node, path, "then", Branch.EXECUTE)
    otherwise = _branch(context, node, path, "else", Branch.SKIP)
    if condition is None or then is None or otherwise is None:
        return None
    return If(condition, then, otherwise, Mark(node.line, node.column))


def parse_assertion(
    context: ParseContext, node: Node, path: str, step: StepFacts
) -> Condition | None:
    """Parse the condition of an Assert step; return None after reporting its problems."""
    node, path = _only_entry(node, path)
    return _parse(context, node, _Place(path, step, Position.INPUTS, 0))


def _only_entry(node: Node, path: str) -> tuple[Node, str]:
    """Return the only entry if ``node`` is a list of one, and otherwise ``node``."""
    if isinstance(node, Sequence) and len(node.items) == 1:
        return node.items[0], f"{path}[0]"
    return node, path


def _branch(
    context: ParseContext, node: Mapping, path: str, key: str, default: Branch
) -> Branch | None:
    entry = node.given(key)
    if entry is None:
        return default
    if not isinstance(entry[1], Scalar):
        context.diagnostics.error(
            entry[1],
            f"{path}.{key}",
            "wrong-value",
            f"{key!r}: expected one of {', '.join(Branch)}, got {describe(entry[1])}",
            "write Execute, Skip or Abort: what runs is in the 'inputs' of the step",
        )
        return None
    word = expect.choice(
        context.diagnostics,
        entry[1],
        f"{path}.{key}",
        f"{key!r}",
        [str(branch) for branch in Branch],
        "BRANCH",
    )
    return None if word is None else Branch(word)


def _parse(context: ParseContext, node: Node, place: _Place) -> Condition | None:
    diagnostics = context.diagnostics
    if isinstance(node, Sequence) and node.items:
        diagnostics.error(
            node.items[1] if len(node.items) > 1 else node,
            place.path,
            "several-conditions",
            f"expected one condition, got a list of {len(node.items)}",
            "combine them under 'and' or 'or'",
        )
        return None
    if isinstance(node, Mapping):
        node = _with_operands(context, node, place)
    else:
        diagnostics.error(
            node,
            place.path,
            "wrong-type",
            f"expected a condition (a mapping with one operator), got {describe(node)}",
            _expression_hint(node),
        )
        return None
    key = _operator(context, node, place)
    if key is None:
        return None
    operator = conditions.SPELLINGS.get(key, key)
    where, operand = node.entries[key]
    path = f"{place.path}.{key}"
    if operator != key:
        diagnostics.warning(
            where, path, "spelling", f"misspelled operator {key!r}", f"write {operator!r}"
        )
    if operator not in conditions.LOGICAL:
        return _comparison(context, node, place, key)
    _check_keys(context, node, place, key, None)
    if place.level >= limits.CONDITION_DEPTH:
        diagnostics.error(
            where,
            path,
            "condition-too-deep",
            f"'and', 'or' and 'not' are nested more than {limits.CONDITION_DEPTH} levels deep",
            "split the condition between two steps",
        )
        return None
    return _logical(context, operand, place.below(path), operator)


def _operator(context: ParseContext, node: Mapping, place: _Place) -> str | None:
    """Return the only key of ``node`` that is an operator; report any other number of them."""
    known = [
        key
        for key in node.entries
        if key in conditions.OPERATORS or key in conditions.LOGICAL or key in conditions.SPELLINGS
    ]
    if len(known) == 1:
        return known[0]
    if known:
        context.diagnostics.error(
            node.key(known[1]),
            place.path,
            "several-operators",
            f"expected exactly one operator, got {' and '.join(map(repr, known))}",
            "make each one a separate condition under 'and' or 'or'",
        )
        return None
    others = [key for key in node.entries if key not in ("value", "path", *_BRANCHES)]
    operators = (*conditions.OPERATORS, *conditions.LOGICAL)
    hint = ""
    if others:
        hint = keys.meaning(
            context.diagnostics, context.platforms, others[0], operators, "OPERATOR"
        ).hint
    context.diagnostics.error(
        node.key(others[0]) if others else node,
        place.path,
        "no-operator",
        f"expected exactly one operator, got {', '.join(map(quoted, others)) or 'none'}",
        hint
        or "use an operator, such as fileExists, stringEquals or patternMatches; 'awstoe actions"
        " Assert' lists them",
    )
    return None


def _with_operands(context: ParseContext, node: Mapping, place: _Place) -> Mapping:
    """Report two operands in one list or mapping; return the condition that was meant."""
    for key, (where, value) in node.entries.items():
        operator = conditions.OPERATORS.get(conditions.SPELLINGS.get(key, key))
        if operator is None or operator.companion is None or operator.companion in node.entries:
            continue
        if isinstance(value, Sequence):
            parts = value.items
        elif isinstance(value, Mapping):
            parts = [part for _, part in value.entries.values()]
        else:
            continue
        if len(parts) != 2:  # noqa: PLR2004 - what is compared, and with what
            continue
        texts = [flow_text(part.text) for part in parts if isinstance(part, Scalar)]
        if len(texts) == len(parts):
            form = f"{key}: {texts[0]}, {operator.companion}: {texts[1]}"
            context.diagnostics.error(
                value,
                f"{place.path}.{key}",
                "wrong-type",
                f"{key!r}: expected a string, got {describe(value)}",
                f"write '{{{form}}}'",
            )
            companion = (keys.word(operator.companion, where), parts[1])
            return keys.with_entries(
                node, node.entries | {key: (where, parts[0]), operator.companion: companion}
            )
    return node


def _expression_hint(node: Node) -> str:
    """Return how a condition that is written as an expression is written here."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    if call := re.fullmatch(r"(not |!)?\s*(\w+)\(\s*['\"]?([^'\",()]+)['\"]?\s*\)", text):
        names = {name.casefold(): name for name in conditions.OPERATORS}
        if name := names.get(call[2].casefold()):
            form = f"{name}: {flow_text(call[3].strip())}"
            return f"write '{{not: {{{form}}}}}'" if call[1] else f"write '{{{form}}}'"
    if test := re.fullmatch(r"\[*\s*(! )?-([efd])\s+(\S+?)\s*\]*", text):
        form = f"{'folder' if test[2] == 'd' else 'file'}Exists: {flow_text(test[3])}"
        return f"write '{{not: {{{form}}}}}'" if test[1] else f"write '{{{form}}}'"
    found = re.fullmatch(r"(.+?)\s*(==|!=)\s*(.+)", text)
    if found is None:
        return "write an operator and its operand, as in 'if: {fileExists: /etc/debian_version}'"
    value, operator, operand = (part.strip().strip("'\"") for part in found.groups())
    form = f"stringEquals: {flow_text(operand)}, value: {flow_text(value)}"
    return f"write '{{{form}}}'" if operator == "==" else f"write '{{not: {{{form}}}}}'"


def _check_keys(
    context: ParseContext, node: Mapping, place: _Place, operator: str, companion: str | None
) -> None:
    allowed = [operator, *([companion] if companion else []), *place.extra]
    for key, (where, _) in node.entries.items():
        if key in allowed:
            continue
        if key in _BRANCHES:
            hint = "put 'then' and 'else' at the top of the 'if', next to its operator"
        elif key in ("value", "path"):
            hint = f"use {companion!r}" if companion else f"remove it: {operator!r} does not use it"
        else:
            hint = context.diagnostics.suggestion(key, allowed) or f"expected {listed(allowed)}"
        context.diagnostics.error(
            where,
            f"{place.path}.{key}",
            "unknown-key",
            f"unknown key {quoted(key)} next to {operator!r}",
            hint,
        )


def _logical(context: ParseContext, node: Node, place: _Place, operator: str) -> Logical | None:
    items: list[tuple[Node, str]]
    if operator == "not":
        items = [_only_entry(node, place.path)]
    else:
        found_list = expect.sequence(
            context.diagnostics, node, place.path, f"{operator!r}", "put '- ' before each condition"
        )
        if found_list is None:
            return None
        items = [(item, f"{place.path}[{i}]") for i, item in enumerate(found_list.items)]
        if not items:
            context.diagnostics.error(
                node,
                place.path,
                "empty-list",
                f"{operator!r} needs at least one condition",
                f"add a condition, or remove {operator!r}",
            )
    found = [_parse(context, item, place._replace(path=path)) for item, path in items]
    known = tuple(condition for condition in found if condition is not None)
    return Logical(operator, known) if known and len(known) == len(found) else None


def _comparison(context: ParseContext, node: Mapping, place: _Place, key: str) -> Comparison | None:
    operator = conditions.SPELLINGS.get(key, key)
    companion = conditions.OPERATORS[operator].companion
    _check_keys(context, node, place, key, companion)
    operand = _string(context, node, place, key)
    companion_text: str | None = None
    if companion is not None:
        if companion not in node.entries:
            wrong = {key, *place.extra}
            if all(other in wrong for other in node.entries):
                expect.missing_key(
                    context.diagnostics,
                    node,
                    place.path,
                    companion,
                    f"{operator!r}",
                    f"add '{companion}:', which is compared with it, next to {operator!r}",
                )
            return None
        companion_text = _string(context, node, place, companion)
        if companion_text is None:
            return None
    if operand is None:
        return None
    return Comparison(operator, operand, companion_text)


def _string(context: ParseContext, node: Mapping, place: _Place, key: str) -> str | None:
    """Return the string under ``key``, checked as far as possible before the run."""
    value = node.entries[key][1]
    path = f"{place.path}.{key}"
    text = expect.text(context.diagnostics, value, path, f"{key!r}", expect.EMPTY_TEXT)
    if text is None or not isinstance(value, Scalar):
        return None
    if key in _PATHS:
        context.scalars.path(value, path)
    else:
        context.scalars.value(value, path)
    if context.references.text(value, path, place.step, place.position):
        return text
    if key in _PATHS and (problem := paths.control_problem(text)):
        context.diagnostics.error(
            value,
            path,
            "wrong-value",
            f"{key!r}: expected a path, got {quoted(text)}: {problem}, which is not allowed in a"
            " path",
            context.scalars.error_hint(value),
        )
    else:
        _check_operand(context, value, path, conditions.SPELLINGS.get(key, key))
    return text


def _check_operand(context: ParseContext, value: Scalar, path: str, operator: str) -> None:
    diagnostics, text = context.diagnostics, value.text
    if operator == "patternMatches":
        # Imported here because few documents have patterns and the import takes 3 ms.
        from awstoe.expressions.re2 import translate  # noqa: PLC0415

        try:
            translate.translate(text)
        except translate.PatternError as error:
            diagnostics.error(
                value,
                path,
                "bad-pattern",
                f"invalid pattern {quoted(text)}: {error.message}",
                "use a regular expression in RE2 syntax",
            )
    elif operator.startswith("number") and conditions.number(text) is None:
        diagnostics.error(
            value,
            path,
            "wrong-value",
            f"{operator!r}: expected a number, got {quoted(text)}",
            "write a number, or compare text with 'stringEquals'",
        )
    elif operator in _HASH_DIGITS and not _is_hash(text, _HASH_DIGITS[operator]):
        diagnostics.warning(
            value,
            path,
            "never-true",
            f"{operator!r} can never be true: expected {_HASH_DIGITS[operator]} hexadecimal"
            f" digits, got {quoted(text)}",
            "check the hash",
        )


def _is_hash(text: str, digits: int) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdefABCDEF")
