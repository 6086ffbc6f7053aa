"""The fuzzers: that they find what is wrong, repeat what they found, and find nothing here."""

import io
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
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


def fail() -> int:
    raise ValueError("a fault")


def fill() -> int:
    return len(bytearray(b"x" * (children.MEMORY_BYTES + 1))) and 0


def kill() -> int:
    os.write(1, b"before the end\n")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_case_that_raises_dies_or_takes_too_much_breaks_a_rule() -> None:
    [raised, filled, killed] = [children.run([each])[0] for each in (fail, fill, kill)]
    assert "ValueError: a fault" in raised.broken_rule()
    assert "MiB; the limit is 200" in filled.broken_rule()
    assert "ended by signal 9" in killed.broken_rule()
    assert killed.output == "before the end\n"
    slow = children.Ended(0, 2.5, 0, "")
    assert "used 2.5 s of processor time" in slow.broken_rule()
    assert "ended by signal 24" in slow._replace(code=-24).broken_rule()
    assert "waits for more than" in slow._replace(code=-14).broken_rule()
    assert "reports a bug" in slow._replace(output="this is a bug in awstoe").broken_rule()


def test_of_many_cases_the_faulty_ones_are_found() -> None:
    def good() -> int:
        os.write(1, b"fine\n")
        return 1

    found = children.run([good, fail, good, kill, fill, good])
    assert [ended.code for ended in found] == [1, 99, 1, -9, 0, 1]
    broken = [bool(ended.broken_rule()) for ended in found]
    assert broken == [False, True, False, True, True, False]
    assert found[5].output == "fine\n"
    assert not any(ended.note for ended in found)


def test_a_fault_that_needs_an_earlier_case_says_so() -> None:
    before: list[int] = []

    def first() -> int:
        before.append(1)
        return 0

    def second() -> int:
        return len(before) and fail()

    [_, ended] = children.run([first, second])
    assert ended.broken_rule().endswith("(only after other cases in the same process)")


class Here(Executor):
    """Runs everything at once in this process."""

    def submit(  # type: ignore[override]
        self, action: Callable[..., Batch], *arguments: object
    ) -> "Future[Batch]":
        future: Future[Batch] = Future()
        future.set_result(action(*arguments))
        return future


class Clock:
    """A clock that a fuzzer sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Counting:
    """A fuzzer whose cases take some seconds each, and whose fifth case is a fault."""

    name = "counting"
    success = "done"

    def __init__(self, clock: Clock, seconds: float, cases_at_once: int = 30) -> None:
        self.cases_at_once = cases_at_once
        self._clock = clock
        self._seconds = seconds

    def missing(self) -> str:
        return ""

    def prepare(self) -> None:
        return

    def run(self, seed: int, cases: range) -> Batch:
        del seed
        self._clock.seconds += len(cases) * self._seconds
        faults = [Fault(4, "a rule", {"input": b"x"})] if 4 in cases else []
        return Batch(Counter(done=len(cases)), faults)


def test_a_campaign_does_the_given_number_of_cases_and_saves_what_it_found(tmp_path: Path) -> None:
    clock, said = Clock(), []
    fuzzers = [Counting(clock, 1), Counting(clock, 3, cases_at_once=4)]
    tallies = campaign.run(
        fuzzers,
        9,
        Limit(cases=41),
        Here(),
        clock=clock,
        found=lambda name, fault: said.append((name, fault.case)),
    )
    assert [(each.cases, each.counts["done"]) for each in tallies] == [(41, 41), (41, 41)]
    assert str(tallies[0]) == "counting: 1 fault in 41 cases, 41 s: 41 done (100%), no others"
    assert said == [("counting", 4), ("counting", 4)]
    place = campaign.save("counting", 9, tallies[0].faults[0], tmp_path)
    assert place.name == "counting-9-4"
    assert (place / "input").read_bytes() == b"x"
    assert json.load(io.BytesIO((place / "about.json").read_bytes()))["rule"] == "a rule"


def test_fuzzers_share_the_time_of_a_campaign_which_ends_soon_after_it() -> None:
    clock = Clock()
    fuzzers = [Counting(clock, seconds) for seconds in (0.01, 0.1, 1, 0.02)]
    tallies = campaign.run(fuzzers, 9, Limit(seconds=120), Here(), clock=clock)
    assert 120 <= clock.seconds <= 120 + campaign.BATCH_SECONDS
    assert all(25 <= each.seconds <= 35 for each in tallies)


def test_a_fuzzer_that_is_never_successful_is_at_fault() -> None:
    tally = campaign.Tally(Counting(Clock(), 1))
    tally.add(range(campaign.ENOUGH_CASES), Batch(Counter(rejected=campaign.ENOUGH_CASES), []), 1)
    assert campaign.unsuccessful(tally)
    tally.add(range(1), Batch(Counter(done=1), []), 1)
    assert not campaign.unsuccessful(tally)


def test_a_third_of_the_documents_is_valid_and_gets_planned() -> None:
    fuzzer = documents.Documents()
    batch = fuzzer.run(1, range(60))
    assert batch.faults == []
    assert batch.counts["valid"] >= 20
