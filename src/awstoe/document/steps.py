"""Parses phases and their steps."""

from typing import Final

from awstoe import limits
from awstoe.actions.table import ACTIONS, ActionSpec, Shape
from awstoe.document import expect
from awstoe.document.conditions import parse_assertion, parse_if
from awstoe.document.inputs import Operations, failure, parse_inputs
from awstoe.document.loops import ParsedLoop, parse_loop
from awstoe.document.model import If, Mark, OnFailure, Phase, Step
from awstoe.document.names import name_problem
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position, texts_of
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, value_of
from awstoe.expressions.conditions import Condition
from awstoe.expressions.values import quoted

_PHASE_KEYS: Final = ("name", "steps")
_STEP_KEYS: Final = (
    "name",
    "action",
    "timeoutSeconds",
    "onFailure",
    "maxAttempts",
    "inputs",
    "loop",
    "if",
    "disableLogging",
)
_STANDARD_PHASES: Final = ("build", "validate", "test")
_NO_LIMIT: Final = -1
_UNTIMED: Final = frozenset({"ExecuteDocument", "Reboot"})
"""Actions that have no step timeout."""


def parse_phases(context: ParseContext, node: Node) -> tuple[Phase, ...]:
    """Parse the phases and report their problems."""
    diagnostics = context.diagnostics
    listed = expect.sequence(diagnostics, node, "phases", "'phases'")
    if listed is None:
        return ()
    phases = []
    seen: dict[str, int] = {}
    for position, item in enumerate(listed.items):
        path = f"phases[{position}]"
        holder = expect.mapping(diagnostics, item, path, "phase")
        if holder is None:
            continue
        phase = _phase(context, holder, path, position)
        phases.append(phase)
        if phase.name and phase.name in seen:
            diagnostics.error(
                holder.entries["name"][1],
                f"{path}.name",
                "duplicate-name",
                f"duplicate phase name {phase.name!r}",
                f"the first one is on line {seen[phase.name]}",
            )
        seen.setdefault(phase.name, holder.line)
    if not any(name in seen for name in _STANDARD_PHASES):
        named = [name for name in seen if name]
        got = ", ".join(map(quoted, named)) or "none"
        diagnostics.error(
            node,
            "phases",
            "no-standard-phase",
            f"expected at least one of the phases {', '.join(_STANDARD_PHASES)}, got {got}",
            diagnostics.suggestion(named[0], _STANDARD_PHASES) if named else "",
        )
    return tuple(phases)


def _phase(context: ParseContext, node: Mapping, path: str, phase_position: int) -> Phase:
    diagnostics = context.diagnostics
    expect.check_keys(diagnostics, node, path, _PHASE_KEYS)
    name = _required_text(context, node, path, "name", "the phase")
    if name is not None and (problem := name_problem(name, "phase")):
        diagnostics.error(node.entries["name"][1], f"{path}.name", "bad-name", problem)
    steps: list[Step] = []
    entry = node.entries.get("steps")
    if entry is None:
        expect.missing_key(diagnostics, node, path, "steps", "the phase")
    else:
        listed = expect.sequence(diagnostics, entry[1], f"{path}.steps", "'steps'")
        if listed is not None and not listed.items:
            diagnostics.error(
                entry[1], f"{path}.steps", "empty-list", f"the phase {name!r} has no steps"
            )
        first_lines: dict[str, int] = {}
        loop_lines: dict[str, int] = {}
        for position, item in enumerate(listed.items if listed is not None else ()):
            place = f"{path}.steps[{position}]"
            holder = expect.mapping(diagnostics, item, place, "step")
            if holder is None:
                continue
            step = _step(context, holder, place, context.scope.steps[phase_position, position])
            steps.append(step)
            _unique(context, holder, f"{place}.name", "step", step.name, first_lines)
            if step.loop is not None:
                _unique(
                    context,
                    holder.entries["loop"][1],
                    f"{place}.loop.name",
                    "loop",
                    step.loop.name,
                    loop_lines,
                )
    return Phase(name or "", tuple(steps), Mark(node.line, node.column))


def _unique(
    context: ParseContext, node: Node, path: str, what: str, name: str, lines: dict[str, int]
) -> None:
    """Report a name that is already in ``lines``, and otherwise add it."""
    if not name:
        return
    where = node.entries["name"][1] if isinstance(node, Mapping) else node
    if name in lines:
        context.diagnostics.error(
            where,
            path,
            "duplicate-name",
            f"duplicate {what} name {name!r} in one phase",
            f"the first one is on line {lines[name]}",
        )
    lines.setdefault(name, where.line)


def _step(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> Step:
    diagnostics = context.diagnostics
    expect.check_keys(diagnostics, node, path, _STEP_KEYS)
    name = _required_text(context, node, path, "name", "the step")
    if name is not None and (problem := name_problem(name, "step", f" in phase '{facts.phase}'")):
        diagnostics.error(node.entries["name"][1], f"{path}.name", "bad-name", problem)
    spec = _action(context, node, path, facts)
    operations, assertion = _inputs(context, node, path, spec, facts)
    loop = _loop(context, node, path, facts)
    on_failure = OnFailure.ABORT
    disable_logging = False
    if entry := node.given("onFailure"):
        word = expect.choice(
            diagnostics,
            entry[1],
            f"{path}.onFailure",
            "'onFailure'",
            [str(choice) for choice in OnFailure],
        )
        on_failure = OnFailure(word) if word else on_failure
    if entry := node.given("disableLogging"):
        disable_logging = bool(
            expect.flag(diagnostics, entry[1], f"{path}.disableLogging", "'disableLogging'")
        )
    return Step(
        name=name or "",
        action=facts.action,
        timeout_seconds=_timeout(context, node, path, facts),
        on_failure=on_failure,
        max_attempts=_attempts(context, node, path, facts),
        operations=operations,
        assertion=assertion,
        loop=loop.loop if loop else None,
        loop_record=loop.record if loop else None,
        condition=_if(context, node, path, facts),
        disable_logging=disable_logging,
        mark=Mark(node.line, node.column),
    )


def _required_text(
    context: ParseContext, node: Mapping, path: str, key: str, owner: str
) -> str | None:
    entry = node.entries.get(key)
    if entry is None:
        expect.missing_key(context.diagnostics, node, path, key, owner)
        return None
    return expect.text(context.diagnostics, entry[1], f"{path}.{key}", f"{key!r}")


def _action(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> ActionSpec | None:
    if _required_text(context, node, path, "action", f"the step {facts.name!r}") is None:
        return None
    where, place = node.entries["action"][1], f"{path}.action"
    spec = ACTIONS.get(facts.action)
    platforms = context.platforms
    if spec is not None:
        platforms = tuple(p for p in context.platforms if p not in spec.platforms)
        if not platforms:
            return spec
    unsupported = failure(
        facts, f"Unsupported action {facts.action} for os platform {', '.join(platforms)}."
    )
    if spec is not None:
        supported = ", ".join(sorted(spec.platforms))
        hint = (
            f"{facts.action} runs on {supported}; use 'awstoe validate --os-platforms' to check"
            " for other platforms"
        )
        context.diagnostics.error(where, place, "wrong-platform", unsupported, hint)
        return spec
    hint = (
        context.diagnostics.suggestion(facts.action, ACTIONS)
        or "run 'awstoe actions' to list all actions"
    )
    context.diagnostics.error(where, place, "unknown-action", unsupported, hint)
    return None


def _inputs(
    context: ParseContext, node: Mapping, path: str, spec: ActionSpec | None, facts: StepFacts
) -> tuple[Operations, Condition | None]:
    entry = node.entries.get("inputs")
    place = f"{path}.inputs"
    inputs = node.value("inputs")
    if spec is None:
        # The action's inputs are unknown, but references can still be checked.
        for text, text_path in texts_of(inputs, place) if inputs is not None else ():
            context.references.text(text, text_path, facts, Position.INPUTS)
        return (), None
    if spec.shape is not Shape.CONDITION or inputs is None:
        where = entry[0] if entry else node
        return parse_inputs(context, inputs, where, place, spec, facts), None
    assertion = parse_assertion(context, inputs, place, facts)
    value = value_of(inputs)
    operation = value[0] if isinstance(value, list) and value else value
    return (operation,) if isinstance(operation, dict) else (), assertion


def _loop(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> ParsedLoop | None:
    entry = node.given("loop")
    return parse_loop(context, entry[1], f"{path}.loop", facts) if entry else None


def _if(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> If | None:
    entry = node.given("if")
    return parse_if(context, entry[1], f"{path}.if", facts) if entry else None


def _timeout(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> int:
    entry = node.given("timeoutSeconds")
    default = _NO_LIMIT if facts.action in _UNTIMED else limits.STEP_TIMEOUT_SECONDS
    if entry is None:
        return default
    where, place = entry[1], f"{path}.timeoutSeconds"
    seconds = expect.integer(context.diagnostics, where, place, "'timeoutSeconds'")
    if seconds is None:
        return default
    if seconds != _NO_LIMIT and seconds < 1:
        context.diagnostics.error(
            where,
            place,
            "wrong-value",
            f"'timeoutSeconds': expected at least 1, or -1 for no limit, got {seconds}",
        )
    elif facts.action == "ExecuteDocument" and seconds != _NO_LIMIT:
        context.diagnostics.error(
            where,
            place,
            "wrong-value",
            f"'timeoutSeconds': ExecuteDocument has no timeout; expected -1, got {seconds}",
            "remove it, and set timeouts for the steps of the nested document",
        )
    return seconds


def _attempts(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> int:
    entry = node.given("maxAttempts")
    if entry is None:
        return 1
    where, place = entry[1], f"{path}.maxAttempts"
    attempts = expect.integer(context.diagnostics, where, place, "'maxAttempts'")
    if attempts is None:
        return 1
    if attempts < 1:
        context.diagnostics.error(
            where, place, "wrong-value", f"'maxAttempts': expected at least 1, got {attempts}"
        )
    elif attempts > 1 and facts.action == "ExecuteDocument":
        context.diagnostics.error(
            where,
            place,
            "wrong-value",
            f"'maxAttempts': ExecuteDocument is not retried; expected 1, got {attempts}",
            "remove it, and set 'maxAttempts' for the steps of the nested document",
        )
    return attempts
