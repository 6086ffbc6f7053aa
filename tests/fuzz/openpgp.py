"""OpenPGP: what this program accepts, gpg accepts too."""

import io
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import Verdict, Verification
from fakes.gnupg import Gpg, gpg
from fakes.openpgp_forge import NOW
from fuzz import children
from fuzz.campaign import Batch, Fault, chance_of
from fuzz.openpgp_cases import RSA_KEYS, Case, make
from fuzz.openpgp_keys import rsa_key

_BAD = {"BADSIG", "ERRSIG", "REVKEYSIG", "EXPSIG", "NODATA", "FAILURE", "UNEXPECTED"}
_KEYS, _FILE, _SIGNATURE = "keys.gpg", "file", "file.sig"


def judged(case: Case) -> Verification | None:
    """Return the program's result; None if it rejects the key file."""
    try:
        ring = keyring.read(case.keys, "keys")
    except TrustError:
        return None
    result = openpgp.verify(io.BytesIO(case.data), case.signature, ring, now=NOW)
    if not result.is_good and not result.deciding.reason:
        raise AssertionError("a verdict without a reason")
    return result


class OpenPgp:
    """Compares the program's verdicts with those of gpg."""

    name = "openpgp"
    cases_at_once = 100
    success = Verdict.GOOD.value

    def missing(self) -> str:
        return "" if shutil.which("gpg") else "gpg"

    def prepare(self) -> None:
        for number in range(RSA_KEYS):
            rsa_key(number, NOW)

    def run(self, seed: int, cases: range) -> Batch:
        counts: Counter[str] = Counter()
        faults: list[Fault] = []
        accepted: dict[int, tuple[Case, Verification]] = {}
        for number in cases:
            case = make(chance_of(seed, self.name, number), number)
            try:
                result = judged(case)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
                faults.append(Fault(number, f"raises {error!r}", files(case)))
                continue
            verdict = "key file rejected" if result is None else result.deciding.verdict.value
            counts[verdict] += 1
            if result is not None and result.deciding.verdict is Verdict.GOOD:
                accepted[number] = case, result
        for number, said in rejected_by_gpg(accepted).items():
            rule = f"accepted here, but not by gpg: {said}"
            faults.append(Fault(number, rule, files(accepted[number][0])))
        return Batch(counts, faults)


def files(case: Case) -> dict[str, bytes]:
    return {_KEYS: case.keys, _FILE: case.data, _SIGNATURE: case.signature}


def rejected_by_gpg(cases: Mapping[int, tuple[Case, Verification]]) -> dict[int, str]:
    """Return what gpg says about the cases that it rejects.

    One process of gpg judges all of them, because starting it takes longer than a signature. What
    it does not clearly accept is judged again alone.
    """
    if not cases:
        return {}
    with children.folder() as folder:
        places = {number: Path(folder, str(number)) for number in cases}
        for number, place in places.items():
            place.mkdir()
            for name, data in files(cases[number][0]).items():
                (place / name).write_bytes(data)
        with gpg() as program:
            program.run("--import", *(place / _KEYS for place in places.values()), now=NOW)
            signatures = [place / _SIGNATURE for place in places.values()]
            output = program.run("--verify-files", *signatures, now=NOW).stderr.decode("latin-1")
        blocks = output.split("[GNUPG:] FILE_START ")[1:]
        clear = {
            block.split(maxsplit=2)[1].split("\n")[0]
            for block in blocks
            if "[GNUPG:] FILE_DONE" in block
        }
        doubtful = [
            number
            for number, place in places.items()
            if str(place / _SIGNATURE) not in clear
            or not _is_good(_block(blocks, str(place / _SIGNATURE)), cases[number][1])
        ]
        found = {}
        for number in doubtful:
            with gpg() as program:
                if said := _alone(program, places[number], cases[number][1]):
                    found[number] = said
    return found


def _block(blocks: Sequence[str], path: str) -> list[str]:
    """Return the names of gpg's status lines about one file."""
    block = next(each for each in blocks if each.split(maxsplit=2)[1].split("\n")[0] == path)
    return _statuses(block)


def _statuses(output: str) -> list[str]:
    lines = [line for line in output.splitlines() if line.startswith("[GNUPG:] ")]
    return [line.split()[1] for line in lines]


def _alone(program: Gpg, place: Path, result: Verification) -> str:
    """Return what gpg says if it rejects a case, with the keys of this case alone."""
    imported = program.run("--import", place / _KEYS, now=NOW)
    verified = program.run("--verify", place / _SIGNATURE, place / _FILE, now=NOW)
    statuses = _statuses(verified.stderr.decode("latin-1"))
    if verified.returncode == 0 and _is_good(statuses, result):
        return ""
    said = " ".join(statuses)
    return f"exit code {verified.returncode}, {said}; import: exit code {imported.returncode}"


def _is_good(statuses: Sequence[str], result: Verification) -> bool:
    """Whether gpg's status lines mean that all signatures are good.

    gpg does not tell whether an expired key signed before it expired, so the warnings decide.
    """
    expired = sum(bool(finding.warnings) for finding in result.findings)
    good, ended = statuses.count("GOODSIG"), statuses.count("EXPKEYSIG")
    return (
        not _BAD & set(statuses)
        and good + ended == statuses.count("NEWSIG") == len(result.findings)
        and ended <= expired
    )
