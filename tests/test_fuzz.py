"""The fuzzers: that they find what is wrong, repeat what they found, and find nothing here."""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe.trust.authenticode.verify import SignatureResult, State
from awstoe.trust.policy import Finding, Verdict, Verification
from fakes.certificates import world
from fakes.gnupg import GPG
from fuzz import authenticode, bundles, campaign, children, documents, openpgp
from fuzz.campaign import Batch, Fault, Fuzzer, Limit
from fuzz.openpgp_cases import Case, make

FUZZERS: list[Callable[[], Fuzzer]] = [
    openpgp.OpenPgp,
    authenticode.Authenticode,
    documents.Documents,
    bundles.Bundles,
]


@pytest.mark.slow
@pytest.mark.parametrize("made", FUZZERS, ids=lambda each: each.name)
def test_the_program_passes_a_few_cases(made: Callable[[], Fuzzer]) -> None:
    fuzzer = made()
    if fuzzer.missing():
        pytest.skip(f"{fuzzer.missing()} is not installed")
    batch = fuzzer.run(20_261, range(60))
    assert batch.faults == []
    assert sum(batch.counts.values()) == 60


def test_a_case_follows_from_the_seed_and_its_number() -> None:
    def case(seed: int, number: int) -> Case:
        return make(campaign.chance_of(seed, "openpgp", number), number)

    assert case(1, 7) == case(1, 7)
    assert len({case(1, 7), case(2, 7), case(1, 8)}) == 3


@pytest.mark.skipif(GPG is None, reason="gpg is not installed")
def test_a_signature_that_only_this_program_accepts_is_found() -> None:
    cases_of = (make(campaign.chance_of(3, "openpgp", number), number) for number in range(1000))
    good, result = next(
        (case, result)
        for case in cases_of
        if (result := openpgp.judged(case)) is not None and result.is_good
    )
    accepting = Verification("", (Finding(Verdict.GOOD),))
    cases = {
        1: (good, result),
        2: (good._replace(data=b"another program"), accepting),
        3: (good._replace(keys=b""), accepting),
    }
    assert openpgp.rejected_by_gpg(cases).keys() == {2, 3}


def test_a_program_that_only_this_program_accepts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzer = authenticode.Authenticode()
    if fuzzer.missing():
        pytest.skip("osslsigncode is not installed")
    good = SignatureResult(State.GOOD)
    monkeypatch.setattr(authenticode, "judged", lambda _: good)
    monkeypatch.setattr(authenticode, "make", lambda _: b"MZ" + bytes(600))
    [fault] = fuzzer.run(1, range(1)).faults
    assert "accepted here, but not by osslsigncode" in fault.rule
    assert set(fault.files) == {"program.exe", "ca.pem", "tsa.pem"}
    assert world().root


def test_a_child_that_raises_or_takes_too_much_breaks_a_rule() -> None:
    def fail() -> int:
        raise ValueError("a fault")

    def fill() -> int:
        return len(bytearray(b"x" * (children.MEMORY_BYTES + 1))) and 0

    assert children.run(lambda: 1).broken_rule() == ""
    assert "ValueError: a fault" in children.run(fail).broken_rule()
    assert "MiB; the limit is 200" in children.run(fill).broken_rule()
    slow = children.Ended(0, 2.5, 0, "")
    assert "used 2.5 s of processor time" in slow.broken_rule()
    assert "ended by signal 24" in slow._replace(code=-24).broken_rule()
    assert "reports a bug" in slow._replace(output="this is a bug in awstoe").broken_rule()


class Counting:
    """A fuzzer whose cases take a second each, and whose fourth case is a fault."""

    name = "counting"
    cases_at_once = 3

    def __init__(self) -> None:
        self.seconds = 0.0

    def missing(self) -> str:
        return ""

    def run(self, seed: int, cases: range) -> Batch:
        del seed
        self.seconds += len(cases)
        faults = [Fault(4, "a rule", {"input": b"x"})] if 4 in cases else []
        return Batch(Counter(done=len(cases)), faults)


@pytest.mark.parametrize(("limit", "cases"), [(Limit(cases=7), 7), (Limit(seconds=5), 6)])
def test_a_campaign_ends_at_its_limit_and_saves_what_it_found(
    limit: Limit, cases: int, tmp_path: Path
) -> None:
    fuzzer = Counting()
    tally = campaign.run(fuzzer, 9, limit, clock=lambda: fuzzer.seconds)
    assert (tally.cases, tally.counts["done"]) == (cases, cases)
    assert str(tally) == f"counting: {cases} cases in {cases} s, 1 faults ({cases} done)"
    [fault] = tally.faults
    place = campaign.save(fuzzer.name, 9, fault, tmp_path)
    assert place.name == "counting-9-4"
    assert (place / "input").read_bytes() == b"x"
    assert json.load(io.BytesIO((place / "about.json").read_bytes()))["rule"] == "a rule"
