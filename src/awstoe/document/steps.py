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
"""Actions that no step timeout ends."""


def parse_phases(reading: ParseContext, node: Node) -> tuple[Phase, ...]:
    """The phases; what is wrong with them is reported."""
    report = reading.report
    listed = expect.sequence(report, node, "phases", "'phases'")
    if listed is None:
        return ()
    phases = []
    seen: dict[str, int] = {}
    for position, item in enumerate(listed.items):
        path = f"phases[{position}]"
        holder = expect.mapping(report, item, path, "a phase")
        if holder is None:
            continue
        phase = _phase(reading, holder, path, position)
        phases.append(phase)
        if phase.name and phase.name in seen:
            report.error(
                holder.entries["name"][1],
                f"{path}.name",
                "duplicate-name",
                f"there are two phases {phase.name!r}",
                f"the first is in line {seen[phase.name]}",
            )
        seen.setdefault(phase.name, holder.line)
    if not any(name in seen for name in _STANDARD_PHASES):
        named = [name for name in seen if name]
        got = ", ".join(map(quoted, named)) or "none"
        report.error(
            node,
            "phases",
            "no-standard-phase",
            f"expected at least one of the phases {', '.join(_STANDARD_PHASES)}, got {got}",
            report.suggestion(named[0], _STANDARD_PHASES) if named else "",
        )
    return tuple(phases)


def _phase(reading: ParseContext, node: Mapping, path: str, phase_position: int) -> Phase:
    report = reading.report
    expect.check_keys(report, node, path, _PHASE_KEYS)
    name = _required_text(reading, node, path, "name", "the phase")
    if name is not None and (problem := name_problem(name, "phase")):
        report.error(node.entries["name"][1], f"{path}.name", "bad-name", problem)
    steps: list[Step] = []
    entry = node.entries.get("steps")
    if entry is None:
        expect.missing_key(report, node, path, "steps", "the phase")
    else:
        listed = expect.sequence(report, entry[1], f"{path}.steps", "'steps'")
        if listed is not None and not listed.items:
            report.error(
                entry[1], f"{path}.steps", "empty-list", f"the phase {name!r} has no steps"
            )
        first_lines: dict[str, int] = {}
        loop_lines: dict[str, int] = {}
        for position, item in enumerate(listed.items if listed is not None else ()):
            place = f"{path}.steps[{position}]"
            holder = expect.mapping(report, item, place, "a step")
            if holder is None:
                continue
            step = _step(reading, holder, place, reading.scope.steps[phase_position, position])
            steps.append(step)
            _unique(
                reading, holder, f"{place}.name", f"steps {step.name!r}", step.name, first_lines
            )
            if step.loop is not None:
                _unique(
                    reading,
                    holder.entries["loop"][1],
                    f"{place}.loop.name",
                    f"loops {step.loop.name!r}",
                    step.loop.name,
                    loop_lines,
                )
    return Phase(name or "", tuple(steps), Mark(node.line, node.column))


def _unique(
    reading: ParseContext, node: Node, path: str, what: str, name: str, lines: dict[str, int]
) -> None:
    """Report a name that stands in ``lines`` already."""
    if not name:
        return
    where = node.entries["name"][1] if isinstance(node, Mapping) else node
    if name in lines:
        reading.report.error(
            where,
            path,
            "duplicate-name",
            f"there are two {what} in one phase",
            f"the first is in line {lines[name]}",
        )
    lines.setdefault(name, where.line)


def _step(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> Step:
    report = reading.report
    expect.check_keys(report, node, path, _STEP_KEYS)
    name = _required_text(reading, node, path, "name", "the step")
    if name is not None and (problem := name_problem(name, "step", f" in phase '{facts.phase}'")):
        report.error(node.entries["name"][1], f"{path}.name", "bad-name", problem)
    row = _action(reading, node, path, facts)
    operations, assertion = _inputs(reading, node, path, row, facts)
    loop = _loop(reading, node, path, facts)
    on_failure = OnFailure.ABORT
    disable_logging = False
    entries = node.entries
    if "onFailure" in entries:
        word = expect.choice(
            report,
            entries["onFailure"][1],
            f"{path}.onFailure",
            "'onFailure'",
            [str(choice) for choice in OnFailure],
        )
        on_failure = OnFailure(word) if word else on_failure
    if "disableLogging" in entries:
        disable_logging = bool(
            expect.flag(
                report,
                entries["disableLogging"][1],
                f"{path}.disableLogging",
                "'disableLogging'",
            )
        )
    return Step(
        name=name or "",
        action=facts.action,
        timeout_seconds=_timeout(reading, node, path, facts),
        on_failure=on_failure,
        max_attempts=_attempts(reading, node, path, facts),
        operations=operations,
        assertion=assertion,
        loop=loop.loop if loop else None,
        loop_record=loop.record if loop else None,
        condition=_if(reading, node, path, facts),
        disable_logging=disable_logging,
        mark=Mark(node.line, node.column),
    )


def _required_text(
    reading: ParseContext, node: Mapping, path: str, key: str, owner: str
) -> str | None:
    entry = node.entries.get(key)
    if entry is None:
        expect.missing_key(reading.report, node, path, key, owner)
        return None
    return expect.text(reading.report, entry[1], f"{path}.{key}", f"{key!r}")


def _action(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> ActionSpec | None:
    if _required_text(reading, node, path, "action", f"the step {facts.name!r}") is None:
        return None
    where, place = node.entries["action"][1], f"{path}.action"
    row = ACTIONS.get(facts.action)
    platforms = reading.platforms
    if row is not None:
        platforms = tuple(p for p in reading.platforms if p not in row.platforms)
        if not platforms:
            return row
    unsupported = failure(
        facts, f"Unsupported action {facts.action} for os platform {', '.join(platforms)}."
    )
    if row is not None:
        supported = ", ".join(sorted(row.platforms))
        hint = (
            f"it runs on {supported}; 'awstoe validate --os-platforms' checks for other platforms"
        )
        reading.report.error(where, place, "wrong-platform", unsupported, hint)
        return row
    hint = reading.report.suggestion(facts.action, ACTIONS) or "'awstoe actions' lists all actions"
    reading.report.error(where, place, "unknown-action", unsupported, hint)
    return None


def _inputs(
    reading: ParseContext, node: Mapping, path: str, row: ActionSpec | None, facts: StepFacts
) -> tuple[Operations, Condition | None]:
    entry = node.entries.get("inputs")
    place = f"{path}.inputs"
    inputs = node.value("inputs")
    if row is None:
        # What the action takes is unknown; references can be judged all the same.
        for text, text_path in texts_of(inputs, place) if inputs is not None else ():
            reading.references.text(text, text_path, facts, Position.INPUTS)
        return (), None
    if row.shape is not Shape.CONDITION or inputs is None:
        where = entry[0] if entry else node
        return parse_inputs(reading, inputs, where, place, row, facts), None
    assertion = parse_assertion(reading, inputs, place, facts)
    value = value_of(inputs)
    operation = value[0] if isinstance(value, list) and value else value
    return (operation,) if isinstance(operation, dict) else (), assertion


def _loop(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> ParsedLoop | None:
    entry = node.entries.get("loop")
    return parse_loop(reading, entry[1], f"{path}.loop", facts) if entry else None


def _if(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> If | None:
    entry = node.entries.get("if")
    return parse_if(reading, entry[1], f"{path}.if", facts) if entry else None


def _timeout(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> int:
    entry = node.entries.get("timeoutSeconds")
    default = _NO_LIMIT if facts.action in _UNTIMED else limits.STEP_TIMEOUT_SECONDS
    if entry is None:
        return default
    where, place = entry[1], f"{path}.timeoutSeconds"
    seconds = expect.integer(reading.report, where, place, "'timeoutSeconds'")
    if seconds is None:
        return default
    if seconds != _NO_LIMIT and seconds < 1:
        reading.report.error(
            where,
            place,
            "wrong-value",
            f"expected at least 1, or -1 for no limit, as 'timeoutSeconds', got {seconds}",
        )
    elif facts.action == "ExecuteDocument" and seconds != _NO_LIMIT:
        reading.report.error(
            where,
            place,
            "wrong-value",
            f"ExecuteDocument has no timeout: expected -1 as 'timeoutSeconds', got {seconds}",
            "leave it out, and give timeouts to the steps of the nested document",
        )
    return seconds


def _attempts(reading: ParseContext, node: Mapping, path: str, facts: StepFacts) -> int:
    entry = node.entries.get("maxAttempts")
    if entry is None:
        return 1
    where, place = entry[1], f"{path}.maxAttempts"
    attempts = expect.integer(reading.report, where, place, "'maxAttempts'")
    if attempts is None:
        return 1
    if attempts < 1:
        reading.report.error(
            where, place, "wrong-value", f"expected at least 1 as 'maxAttempts', got {attempts}"
        )
    elif attempts > 1 and facts.action == "ExecuteDocument":
        reading.report.error(
            where,
            place,
            "wrong-value",
            f"ExecuteDocument is not retried: expected 1 as 'maxAttempts', got {attempts}",
            "leave it out, and let the steps of the nested document retry",
        )
    return attempts
