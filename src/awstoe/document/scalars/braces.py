"""Finds text in braces that was meant as a reference, but does not follow the grammar.

awstoe leaves such text as it is, and so does AWSTOE: the shell gets the braces. Templates of other
programs, such as ``{{.Names}}`` or ``{{ range . }}``, are not reported.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS
from awstoe.document.scope import Scope, StepFacts
from awstoe.document.suggestions import closest
from awstoe.expressions import references
from awstoe.expressions.references import (
    CONTEXT_KEYS,
    ChainReference,
    LocatedReference,
    LoopReference,
    Reference,
    VariableReference,
)
from awstoe.late_patterns import pattern

LITERAL: Final = (
    "for braces that are not a reference, declare constants with the values '{{' and '}}' and refer"
    " to them"
)
"""How to write braces as text. AWSTOE resolves such constants in the same way."""

_OPENING: Final = pattern(r"(\$?)\{\{([^{}\0]*+)(\}\}|)")
_LEADING: Final = pattern(r"\s*([A-Za-z_][\w.:/-]*(?:\[[0-9]+\][\w.-]*)?)(.*)", re.DOTALL)
_LIKE_A_NAME: Final = pattern(r"[A-Za-z_][\w-]*(?:[.:/]+[\w-]+|\[[^\]]*\]|\([^()]*\))*")
_PREFIXED: Final = pattern(
    r"(?i)(?:(?P<env>env(?:iron|ironment)?)|(?P<context>context|ctx)"
    r"|(?P<secret>resolve:secretsmanager)|(?P<ssm>(?:aws[.:]|resolve:)?ssm(?:-secure)?)"
    r"|(?P<imds>(?:aws[.:])?imds)"
    r"|(?P<variable>param(?:eter)?s?|const(?:ant)?s?|var(?:iable)?s?|inputs?))"
    r"""(?:\s*[.:]\s*|\[['"])([\w./:@+=()-]+)(?:['"]\])?"""
)
_SIDES: Final = {
    "output": "outputs",
    "outputs": "outputs",
    "out": "outputs",
    "result": "outputs",
    "results": "outputs",
    "input": "inputs",
    "inputs": "inputs",
}
PSEUDO_PARAMETERS: Final = {
    "AWS::Region": "context:region",
    "AWS::AccountId": "context:accountId",
}
"""Names of CloudFormation."""
_ELSEWHERE: Final = PSEUDO_PARAMETERS | {
    "global:DATE": "context:date",
    "global:DATE_TIME": "context:dateTime",
    "global:REGION": "context:region",
    "global:ACCOUNT_ID": "context:accountId",
}
"""Names of CloudFormation and of Systems Manager documents."""
_INDEXED: Final = pattern(r"""\[\s*(['"])([\w-]+)\1\s*\]""")
_SEPARATOR: Final = pattern(r"\s*(?:\.|::?|/|->)\s*")
_LOOP_WORDS: Final = frozenset({"item", "items", "each", "loop", "foreach", "element", "value"})
_INDEX_WORDS: Final = frozenset(
    {"i", "idx", "index", "index0", "counter", "number", "key", "count"}
)
_OUTPUT_WORDS: Final = frozenset({"stdout", "stderr", "output", "outputs", "rc", "result"})
_CONTEXT: Final = {key.casefold(): key for key in CONTEXT_KEYS if key not in ("step", "phase")}
_ENVIRONMENT: Final = frozenset(
    {"HOME", "PATH", "USER", "PWD", "SHELL", "LANG", "TMPDIR", "TEMP", "TMP", "USERPROFILE"}
    | {"APPDATA", "PROGRAMDATA", "SYSTEMROOT", "COMPUTERNAME", "HOSTNAME", "AWS_REGION"}
)
_FILLERS: Final = frozenset({"phase", "phases", "step", "steps"})
_PART: Final = pattern(r"([\w-]+)(?:\[([0-9]+)\])?")


class NearMiss(NamedTuple):
    """Text in braces that is not a reference, but was probably meant as one."""

    text: str
    """As written, braces included."""
    start: int
    """Its offset in the text, in characters."""
    message: str
    hint: str


def near_misses(
    text: str, found: Collection[LocatedReference], scope: Scope, step: StepFacts
) -> Iterator[NearMiss]:
    """Yield what was probably meant as a reference in ``text``.

    Args:
        text: A text with braces.
        found: Its references.
        scope: The names that the document declares.
        step: The step that contains the text.
    """
    known = {located.start: located for located in found}
    for match in _OPENING.finditer(text):
        dollar, content, closing = match.groups()
        start = match.start() + len(dollar)
        located = known.get(start)
        if located is not None:
            if dollar and _exists(located.reference, scope):
                yield NearMiss(
                    match[0],
                    match.start(),
                    "the '$' is not part of the reference and stays before its value",
                    f"write {located.text}",
                )
            elif form := _spaced(located.reference):
                yield NearMiss(located.text, start, "the reference has a space in it", _write(form))
            continue
        if not closing or "\n" in content.strip():
            closing = ""
            miss = _unclosed(content, scope)
        elif dollar:
            miss = _of_a_workflow(content.strip(), scope, step)
        else:
            miss = _judged(content.strip(), scope, step)
        if miss:
            yield NearMiss(match[0] if closing else miss[2], match.start(), miss[0], miss[1])


def named(name: str, scope: Scope, step: StepFacts) -> str:
    """Return a hint if an undeclared name is one of something else than a variable."""
    form = loop_value(name, scope, step)
    if form is None and name.casefold() in _CONTEXT:
        form = f"context:{_CONTEXT[name.casefold()]}"
    if form is None and name in _ENVIRONMENT:
        form = f"env:{name}"
    if form is None and name.casefold() in ("item", "each"):
        return f"add a 'loop' to the step, and write {{{{ loop.value }}}}; {LITERAL}"
    return f"did you mean {{{{ {form} }}}}?" if form else ""


_Miss = tuple[str, str, str]
"""The message, the hint, and what is shown."""
_STAYS: Final = "this is not a reference and stays as it is"


def _unclosed(content: str, scope: Scope) -> _Miss | None:
    leading = _LEADING.match(content)
    if leading is None:
        return None
    name = leading[1].rstrip(".:/-")
    reference = _reference(name)
    if reference is None or not _exists(reference, scope):
        return None
    shown = content[: leading.start(1)] + name
    return ("the reference has no '}}' at its end", _write(name), "{{" + shown)


def _of_a_workflow(content: str, scope: Scope, step: StepFacts) -> _Miss | None:
    if not re.match(r"[A-Za-z_]", content):
        return None
    form = _meant(content, scope, step)
    hint = (
        _write(form)
        if form
        else f"declare a parameter and write '{{{{ NAME }}}}', without '$'; {LITERAL}"
    )
    return ("'${{ ... }}' is not replaced here and stays as it is", hint, "")


def _judged(content: str, scope: Scope, step: StepFacts) -> _Miss | None:
    if form := _meant(content, scope, step):
        return (_STAYS, _write(form), "")
    last = _SEPARATOR.split(content)[-1].casefold()
    if _LIKE_A_NAME.fullmatch(content) and "." in content and last in _OUTPUT_WORDS:
        return (
            _STAYS,
            f"the output of a step is {{{{ PHASE.STEP.outputs.stdout }}}}; {LITERAL}",
            "",
        )
    if re.fullmatch(r"[A-Za-z0-9_-]{1,2}", content):
        return (f"{_STAYS}: names have 3 to 128 characters", LITERAL, "")
    name, bar, _ = content.partition("|")
    name = name.strip()
    if bar and _LIKE_A_NAME.fullmatch(name):
        hint = "remove the '|' and what follows"
        if isinstance(_reference(name), VariableReference):
            hint = f"{_write(name)}, and give the parameter a 'default' if it needs one"
        return (f"{_STAYS}: references have no filters", hint, "")
    leading = _LEADING.match(content)
    if leading and leading[2].strip():
        reference = _reference(leading[1])
        if reference is not None and _exists(reference, scope):
            return (f"{_STAYS}: there are no expressions in references", _write(leading[1]), "")
    if _LIKE_A_NAME.fullmatch(content):
        return (_STAYS, LITERAL, "")
    return None


def _write(form: str) -> str:
    return f"write {{{{ {form} }}}}"


def _reference(content: str) -> Reference | None:
    found = references.find(f"{{{{{content}}}}}")
    return found[0].reference if found else None


def _exists(reference: Reference, scope: Scope) -> bool:
    """Whether the names in ``reference`` exist, so that it can only be meant as one."""
    if isinstance(reference, VariableReference):
        return reference.name in scope.variables
    if isinstance(reference, ChainReference):
        return reference.phase in scope.phases
    if isinstance(reference, LoopReference):
        return reference.loop == "loop" or reference.loop in scope.loops
    return True


def _spaced(reference: Reference) -> str | None:
    """Return ``env:NAME`` for ``env: NAME``, and None for other references."""
    if isinstance(reference, references.EnvironmentReference):
        name = reference.name
        if name != name.strip() and name.strip():
            return f"env:{name.strip()}"
    return None


def _meant(content: str, scope: Scope, step: StepFacts) -> str | None:
    """Return the reference that ``content`` was probably meant to be, or None."""
    if content in _ELSEWHERE:
        return _ELSEWHERE[content]
    bare = content.strip("$.'\" ")
    if bare != content and (reference := _reference(bare)) and _exists(reference, scope):
        return bare
    if prefixed := _PREFIXED.fullmatch(content):
        return _with_prefix(prefixed, scope)
    return _chain(content, scope, step) or _loop(content, scope, step)


def _with_prefix(match: "re.Match[str]", scope: Scope) -> str | None:
    name = match[match.lastindex or 0]
    if match["env"]:
        return f"env:{name}"
    if match["context"]:
        key = next((key for key in CONTEXT_KEYS if key.casefold() == name.casefold()), None)
        return f"context:{key}" if key else None
    if match["secret"]:
        return f"aws:ssm:/aws/reference/secretsmanager/{name}"
    if match["ssm"]:
        return f"aws:ssm:{name}"
    if match["imds"]:
        return f"aws:imds:{name}"
    return name if name in scope.variables else closest(name, scope.variables)


def _chain(content: str, scope: Scope, step: StepFacts) -> str | None:
    """Return the reference to an output or input that ``content`` was meant to be, or None."""
    content = ".".join(_SEPARATOR.split(_INDEXED.sub(r".\2", content).strip()))
    parts = [_PART.fullmatch(part) for part in content.split(".")]
    if len(parts) < 2 or None in parts:  # noqa: PLR2004 - a step and its output
        return None
    names, index, side = [], "", ""
    for part in parts:
        assert part is not None  # noqa: S101 - checked above
        index = index or part[2] or (part[1] if part[1].isdigit() else "")
        side = side or _SIDES.get(part[1].casefold(), "")
        if part[1].casefold() not in _SIDES and not part[1].isdigit():
            names.append(part[1])
    if len(names) > 2:  # noqa: PLR2004 - a step may be called 'steps'
        names = [name for name in names if name not in _FILLERS]
    target = None
    variable = ""
    for count in (2, 1):
        if (target := _step(names[:count], scope, step)) and len(names) <= count + 1:
            variable = names[count] if len(names) > count else ""
            break
    if target is None or not (side or variable):
        return None
    side = side or "outputs"
    variable = _variable(target, side, variable)
    if not variable:
        return None
    suffix = f"[{index}]" if index else ""
    return f"{target.phase}.{target.name}.{side}{suffix}.{variable}"


def _step(names: list[str], scope: Scope, step: StepFacts) -> StepFacts | None:
    """Return the step that ``names`` (phase and step, or only the step) refer to, or None."""
    wanted = [name.casefold() for name in names]
    found = [
        facts
        for phase, steps in scope.phases.items()
        for facts in steps.values()
        if wanted in ([phase.casefold(), facts.name.casefold()], [facts.name.casefold()])
    ]
    own = [facts for facts in found if facts.phase == step.phase and facts.order < step.order]
    earlier = [facts for facts in found if facts.order < step.order]
    best = own or earlier or found
    return best[-1] if best else None


def _variable(target: StepFacts, side: str, name: str) -> str:
    """Return the output or input of ``target`` that ``name`` probably means; may be empty."""
    if target.action not in ACTIONS:
        return name or "stdout"
    known = schema.schema(target.action)
    names = [output.name for output in known.outputs] if side == "outputs" else [*known.fields]
    if name in names:
        return name
    return closest(name, names) or (names[0] if len(names) == 1 else "")


def loop_value(name: str, scope: Scope, step: StepFacts) -> str | None:
    """Return the reference that ``name`` alone was probably meant to be in a step with a loop."""
    if not step.has_loop:
        return None
    folded = name.casefold()
    if folded in _INDEX_WORDS:
        return "loop.index"
    if folded in _LOOP_WORDS or name in scope.loops:
        return f"{name if name in scope.loops else 'loop'}.value"
    return None


def _loop(content: str, scope: Scope, step: StepFacts) -> str | None:
    """Return ``loop.value`` or ``loop.index`` for what was meant as one of them, or None."""
    name, dot, member = content.partition(".")
    if not dot:
        return loop_value(name, scope, step)
    if not step.has_loop or (name not in scope.loops and name.casefold() not in _LOOP_WORDS):
        return None
    loop = name if name in scope.loops else "loop"
    return f"{loop}.{'index' if member.casefold() in _INDEX_WORDS else 'value'}"
