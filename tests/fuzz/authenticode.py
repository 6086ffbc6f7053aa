"""Authenticode: what this program accepts, osslsigncode accepts too."""

import io
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from awstoe.trust.authenticode import verify as authenticode
from awstoe.trust.authenticode.verify import SignatureResult, State
from fakes.certificates import NOW, world
from fuzz import children
from fuzz.authenticode_cases import make, originals
from fuzz.campaign import Batch, Fault, chance_of

_ORACLE = "osslsigncode"


def judged(program: bytes) -> SignatureResult:
    """Return the program's result."""
    return authenticode.verify_file(
        io.BytesIO(program),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate],
        now=NOW,
    )


class Authenticode:
    """Compares the program's verdicts with those of osslsigncode.

    The seed decides what is changed. The keys are new in each process, so the bytes differ.
    """

    name = "authenticode"
    cases_at_once = 100
    success = State.GOOD.value

    def missing(self) -> str:
        return "" if shutil.which(_ORACLE) else _ORACLE

    def prepare(self) -> None:
        originals()

    def run(self, seed: int, cases: range) -> Batch:
        counts: Counter[str] = Counter()
        faults: list[Fault] = []
        with children.folder() as folder:
            oracle = _Oracle(Path(folder))
            for number in cases:
                program = make(chance_of(seed, self.name, number))
                files = {"program.exe": program, **oracle.roots}
                try:
                    result = judged(program)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
                    faults.append(Fault(number, f"raises {error!r}", files))
                    continue
                counts[result.state.value] += 1
                if result.state is State.GOOD and (said := oracle.rejects(program)):
                    rule = f"accepted here, but not by {_ORACLE}: {said}"
                    faults.append(Fault(number, rule, files))
        return Batch(counts, faults)


class _Oracle:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.roots = {
            "ca.pem": world().root.certificate.public_bytes(Encoding.PEM),
            "tsa.pem": world().stamp_root.certificate.public_bytes(Encoding.PEM),
        }
        for name, data in self.roots.items():
            (folder / name).write_bytes(data)

    def rejects(self, program: bytes) -> str:
        """Return what osslsigncode says if it rejects a program."""
        path = self._folder / "program.exe"
        path.write_bytes(program)
        done = subprocess.run(
            [
                *(_ORACLE, "verify", "-time", str(int(NOW.timestamp()))),
                *("-CAfile", self._folder / "ca.pem", "-TSA-CAfile", self._folder / "tsa.pem"),
                *("-in", path),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )
        if done.returncode == 0:
            return ""
        return " ".join((done.stdout + done.stderr).split())[-300:]
