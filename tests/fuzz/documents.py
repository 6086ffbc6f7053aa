"""Documents: `awstoe validate` never fails with an exception, hangs or fills the memory."""

import functools
import tempfile
from collections import Counter
from pathlib import Path

from awstoe.cli import main as command
from awstoe.cli import validate  # noqa: F401 - the children do not load it again
from fuzz import children
from fuzz.campaign import Batch, Fault, chance_of
from fuzz.document_cases import make, samples

_USUAL = (0, 1, 2)
_PLATFORMS = ("linux", "linux", "windows", "linux,windows")


class Documents:
    """Runs the command on changed documents, each in a process of its own."""

    name = "documents"
    cases_at_once = 100

    def missing(self) -> str:
        return ""

    def run(self, seed: int, cases: range) -> Batch:
        samples()
        counts: Counter[str] = Counter()
        faults: list[Fault] = []
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = Path(folder, "document.yml")
            for number in cases:
                data = make(chance_of(seed, self.name, number))
                path.write_bytes(data)
                options = ["--os-platforms", _PLATFORMS[number % len(_PLATFORMS)], str(path)]
                ended = children.run(functools.partial(command.main, ["validate", *options]))
                counts[f"exit code {ended.code}"] += 1
                rule = ended.broken_rule()
                if not rule and ended.code not in _USUAL:
                    rule = f"exit code {ended.code}: {ended.output[-300:]}"
                if rule:
                    faults.append(Fault(number, rule, {path.name: data}))
        return Batch(counts, faults)
