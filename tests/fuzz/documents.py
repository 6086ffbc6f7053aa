"""Documents: reading and planning one never fails with an exception, hangs or fills the memory."""

import functools
from collections import Counter
from pathlib import Path

from awstoe.cli import main as command
from awstoe.cli import validate  # noqa: F401 - the children do not load it again
from awstoe.document import variables
from awstoe.document.parse import parse
from awstoe.engine.plan import planned, select
from awstoe.host.platforms import Platform
from fuzz import children
from fuzz.campaign import Batch, Fault, chance_of
from fuzz.document_cases import make, samples

_OUTCOMES = {0: "valid", 1: "invalid", 2: "wrong use"}
_PLATFORMS = ("auto", "linux", "auto", "windows", "auto", "linux,windows")


class Documents:
    """Validates documents with the command, and plans the run of the valid ones."""

    name = "documents"
    cases_at_once = 100
    success = "valid"

    def missing(self) -> str:
        return ""

    def prepare(self) -> None:
        samples()

    def run(self, seed: int, cases: range) -> Batch:
        counts: Counter[str] = Counter()
        faults: list[Fault] = []
        with children.folder() as folder:
            made = {number: make(chance_of(seed, self.name, number)) for number in cases}
            actions = []
            for number, data in made.items():
                path = Path(folder, str(number), "document.yml")
                path.parent.mkdir()
                path.write_bytes(data)
                platforms = _PLATFORMS[number % len(_PLATFORMS)]
                actions.append(functools.partial(judge, path, platforms))
            results = children.run(actions)
        for (number, data), ended in zip(made.items(), results, strict=True):
            counts[_OUTCOMES.get(ended.code, f"exit code {ended.code}")] += 1
            rule = ended.broken_rule()
            if not rule and ended.code not in _OUTCOMES:
                rule = f"exit code {ended.code}: {ended.output[-300:]}"
            if rule:
                faults.append(Fault(number, rule, {"document.yml": data}))
        return Batch(counts, faults)


def judge(path: Path, platforms: str) -> int:
    """Validate a document, and plan its run if it is valid. Return the exit code."""
    code = command.main(["validate", "--os-platforms", platforms, str(path)])
    if code == 0:
        wanted = None if platforms == "auto" else frozenset(map(Platform, platforms.split(",")))
        _plan(path, wanted)
    return code


def _plan(path: Path, platforms: frozenset[Platform] | None) -> None:
    """Plan the run of a valid document, as `run` does.

    Raises:
        AssertionError: The plan is not that of the document.
    """
    document = parse(path.read_bytes(), str(path), platforms).document
    assert document is not None, "a valid document that cannot be run"
    missing = {each.name: "given" for each in document.parameters if each.default is None}
    bound = variables.bind(document, missing)
    declared = {each.name for each in document.parameters}
    declared |= {each.name for each in document.constants}
    assert declared == set(bound.values) or bound.problems, "a variable without a value"
    for phase in document.phases:
        [selected], unmatched = select([document], [phase.name])
        assert any(selected), f"the phase {phase.name!r} is not found"
        assert not unmatched
        plan = planned(document, bound.values, selected)
        assert len(plan.places) == sum(len(each.steps) for each in document.phases)
