"""Parses phases and their steps."""

from typing import Final

from awstoe import limits
from awstoe.actions.table import ACTIONS, ActionSpec, Shape
from awstoe.document import advice, expect, keys
from awstoe.document.conditions import parse_assertion, parse_if
from awstoe.document.declarations import flow_text
from awstoe.document.inputs import Operations, failure, parse_inputs
from awstoe.document.loops import ParsedLoop, parse_loop
from awstoe.document.model import If, Mark, OnFailure, Phase, Step
from awstoe.document.names import name_hint, name_problem, valid_name
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position, texts_of
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, value_of
from awstoe.expressions.conditions import Condition
from awstoe.expressions.values import quoted

_STANDARD_PHASES: Final = ("build", "validate", "test")
_PHASE_FORM: Final = "write '- name: build' below 'phases:', and its 'steps:' below 'name'"
_STEPS_FORM: Final = "add 'steps:' with a list of steps, each starting with '- name: NAME'"
_ALL_ACTIONS: Final = "another: run 'awstoe actions' to list all actions"
_NO_LIMIT: Final = -1
_UNTIMED: Final = frozenset({"ExecuteDocument", "Reboot"})
"""Actions that have no step timeout."""


def parse_phases(context: ParseContext, node: Node) -> tuple[Phase, ...]:
    """Parse the phases and report their problems."""
    diagnostics = context.diagnostics
    listed = expect.sequence(diagnostics, node, "phases", "'phases'", _PHASE_FORM)
    if listed is None:
        return ()
    phases = []
    seen: dict[str, int] = {}
    unclear = False
    for position, item in enumerate(listed.items):
        path = f"phases[{position}]"
        holder = expect.mapping(diagnostics, item, path, "phase", _phase_hint(item))
        if holder is None:
            unclear = True
            continue
        unclear = unclear or "name" not in holder.entries or "steps" in holder.excused
        phase = _phase(context, holder, path, position)
        phases.append(phase)
        if phase.name and phase.name in seen:
            diagnostics.error(
                holder.entries["name"][1],
                f"{path}.name",
                "duplicate-name",
                f"duplicate phase name {phase.name!r}",
                f"the first one is on line {seen[phase.name]}: rename or join them",
            )
        seen.setdefault(phase.name, holder.line)
        unclear = unclear or name_problem(phase.name, "phase") is not None
    if not unclear and not any(name in seen for name in _STANDARD_PHASES):
        _no_standard_phase(context, node, [name for name in seen if name])
    return tuple(phases)


def _no_standard_phase(context: ParseContext, node: Node, named: list[str]) -> None:
    hint = ""
    if named:
        hint = (
            keys.meaning(context.diagnostics, (), named[0], _STANDARD_PHASES, "PHASE_NAME").hint
            or f"rename {quoted(named[0])} to 'build'"
        )
    context.diagnostics.error(
        node,
        "phases",
        "no-standard-phase",
        f"expected at least one of the phases {', '.join(_STANDARD_PHASES)}, got"
        f" {', '.join(map(quoted, named)) or 'none'}",
        hint or _PHASE_FORM,
    )


def _phase(context: ParseContext, node: Mapping, path: str, phase_position: int) -> Phase:
    diagnostics = context.diagnostics
    name = _required_text(
        context, node, path, "name", "the phase", "add 'name: build' (or validate, or test)"
    )
    if name is not None and (problem := name_problem(name, "phase")):
        where, hint = node.entries["name"][1], name_hint(name)
        diagnostics.error(where, f"{path}.name", "bad-name", problem, hint)
    steps: list[Step] = []
    entry = node.entries.get("steps")
    if entry is None:
        expect.missing_key(diagnostics, node, path, "steps", "the phase", _STEPS_FORM)
    else:
        listed = expect.sequence(diagnostics, entry[1], f"{path}.steps", "'steps'", _STEPS_FORM)
        if listed is not None and not listed.items:
            diagnostics.error(
                entry[1],
                f"{path}.steps",
                "empty-list",
                f"the phase {name!r} has no steps",
                "add a step, or remove the phase",
            )
        first_lines: dict[str, int] = {}
        loop_lines: dict[str, int] = {}
        for position, item in enumerate(listed.items if listed is not None else ()):
            place = f"{path}.steps[{position}]"
            if not isinstance(item, Mapping):
                expect.mapping(diagnostics, item, place, "step", _step_hint(context, item))
                continue
            holder = item
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
    entry = node.entries.get("name") if isinstance(node, Mapping) else None
    where = entry[1] if entry else node
    if name in lines:
        context.diagnostics.error(
            where,
            path,
            "duplicate-name",
            f"duplicate {what} name {name!r} in one phase",
            f"the first one is on line {lines[name]}: rename one of them"
            if where.line != lines[name]
            else f"an alias repeats the whole {what}: write '<<: *ANCHOR' and another 'name'",
        )
    lines.setdefault(name, where.line)


def _step(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> Step:
    diagnostics = context.diagnostics
    name = _required_text(
        context, node, path, "name", "the step", "add 'name: NAME', unique in the phase"
    )
    if name is not None and (problem := name_problem(name, "step", f" in phase '{facts.phase}'")):
        where, hint = node.entries["name"][1], name_hint(name)
        diagnostics.error(where, f"{path}.name", "bad-name", problem, hint)
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
            "ON_FAILURE",
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


def _phase_hint(item: Node) -> str:
    """Return the hint for a phase that is not a mapping."""
    if not isinstance(item, Scalar):
        return _PHASE_FORM
    if item.is_null:
        return "remove the '-', or write the phase after it"
    name = valid_name(item.text) or "build"
    return f"write '- name: {name}', and its 'steps:' below 'name'"


def _step_hint(context: ParseContext, item: Node) -> str:
    """Return the hint for a step that is not a mapping."""
    if isinstance(item, Scalar) and item.is_null:
        return "remove the '-', or write the step after it"
    action = advice.shell(context.platforms)
    if isinstance(item, Scalar) and "\n" not in item.text:
        command = flow_text(item.text)
        return f"write '{{name: NAME, action: {action}, inputs: {{commands: [{command}]}}}}'"
    return f"write '- name: NAME', and 'action: {action}' and 'inputs:' below 'name'"


def _required_text(
    context: ParseContext, node: Mapping, path: str, key: str, owner: str, hint: str
) -> str | None:
    entry = node.entries.get(key)
    if entry is None:
        expect.missing_key(context.diagnostics, node, path, key, owner, hint)
        return None
    return expect.text(context.diagnostics, entry[1], f"{path}.{key}", f"{key!r}", hint)


def _action(context: ParseContext, node: Mapping, path: str, facts: StepFacts) -> ActionSpec | None:
    action = node.value("action")
    if not isinstance(action, Scalar):  # seldom: the hint is made only if it is needed
        owner = f"the step {facts.name!r}" if facts.name else "the step"
        hint = f"add 'action: {advice.shell(context.platforms)}' or {_ALL_ACTIONS}"
        _required_text(context, node, path, "action", owner, hint)
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
    context.diagnostics.error(
        where, place, "unknown-action", unsupported, _unknown_action(context, facts.action)
    )
    return None


def _unknown_action(context: ParseContext, action: str) -> str:
    """Return the hint for an action that does not exist."""
    folded = action.casefold()
    for name in ACTIONS:
        if name.casefold() == folded:
            return f"did you mean {name!r}?"
    if found := advice.find("ACTION", action, ACTIONS, context.platforms):
        return found.hint
    return context.diagnostics.suggestion(action, ACTIONS) or _ALL_ACTIONS.removeprefix("another: ")


def _inputs(
    context: ParseContext, node: Mapping, path: str, spec: ActionSpec | None, facts: StepFacts
) -> tuple[Operations, Condition | None]:
    place = f"{path}.inputs"
    inputs = node.value("inputs")
    if spec is None:
        # The action's inputs are unknown, but references can still be checked.
        for text, text_path in texts_of(inputs, place) if inputs is not None else ():
            context.references.text(text, text_path, facts, Position.INPUTS)
        return (), None
    if spec.shape is not Shape.CONDITION or inputs is None:
        return parse_inputs(context, inputs, node, place, spec, facts), None
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
    seconds = expect.integer(
        context.diagnostics, where, place, "'timeoutSeconds'", "write a number of seconds"
    )
    if seconds is None:
        return default
    if seconds != _NO_LIMIT and seconds < 1:
        context.diagnostics.error(
            where,
            place,
            "wrong-value",
            f"'timeoutSeconds': expected at least 1, or -1 for no limit, got {seconds}",
            f"write -1 for no limit, or remove it for {limits.STEP_TIMEOUT_SECONDS} seconds",
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
            where,
            place,
            "wrong-value",
            f"'maxAttempts': expected at least 1, got {attempts}",
            "write 1, or remove it, for a single attempt",
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
