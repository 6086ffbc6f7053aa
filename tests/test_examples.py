"""Every example of examples/ does what its comments say, through the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
DOCUMENTS = sorted(EXAMPLES.rglob("*.yml"))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the examples use ExecuteBash")


class Ran(NamedTuple):
    exit_code: int
    summary: dict[str, Any]
    log: str
    records: dict[str, Any]

    def outputs(self, phase: str, step: str) -> Any:  # noqa: ANN401 - JSON
        """The outputs of a step, one mapping per operation."""
        return json.loads(self.step(phase, step)["outputs"])

    def step(self, phase: str, step: str) -> dict[str, Any]:
        """The record of a step."""
        (match,) = (
            record
            for document in self.records["documents"]
            for each in document["phases"]
            if each["name"] == phase
            for record in each["steps"]
            if record["name"] == step
        )
        return dict(match)


def awstoe(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "awstoe", *arguments],
        cwd=folder,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run(document: Path, *arguments: str, logs: Path, folder: Path | None = None) -> Ran:
    ended = awstoe(
        *("run", "--documents", str(document), "--log-directory", str(logs)),
        *("--state-directory", str(logs / "state"), *arguments),
        folder=folder or logs,
    )
    assert ended.stdout, ended.stderr
    summary = json.loads(ended.stdout)
    written = Path(summary["logUrl"])
    return Ran(
        ended.returncode,
        summary,
        (written / "console.log").read_text(),
        json.loads((written / "detailedoutput.json").read_text()),
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_example_is_valid_without_warnings(document: Path, tmp_path: Path) -> None:
    ended = awstoe("validate", "--strict", "--documents", str(document), folder=tmp_path)
    assert json.loads(ended.stdout)["validationStatus"] == "success", ended.stderr
    assert ended.returncode == 0


def test_hello_world_greets_from_three_phases(tmp_path: Path) -> None:
    ran = run(EXAMPLES / "hello-world.yml", logs=tmp_path)
    assert ran.exit_code == 0
    assert ran.summary["status"] == "success"
    assert ran.summary["executedStepCount"] == 3
    for phase in ("build", "validate", "test"):
        assert f"Stdout: Hello World from the {phase} phase." in ran.log


def test_install_and_validate_leaves_a_working_program(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    ran = run(
        EXAMPLES / "install-and-validate.yml", "--parameters", f"Prefix={prefix}", logs=tmp_path
    )
    assert ran.exit_code == 0, ran.summary
    greeting = subprocess.run(
        [prefix / "bin" / "greet", "Grace"], capture_output=True, text=True, check=True
    )
    assert greeting.stdout == "Good morning, Grace!\n"
    assert (prefix / "bin" / "greet").stat().st_mode & 0o777 == 0o755


def test_install_and_validate_finds_out_when_nothing_is_installed(tmp_path: Path) -> None:
    ran = run(
        EXAMPLES / "install-and-validate.yml",
        *("--parameters", f"Prefix={tmp_path / 'nothing'}", "--phases", "validate"),
        logs=tmp_path,
    )
    assert ran.exit_code == 1
    assert [failure["step"] for failure in ran.summary["failures"]] == ["ProgramIsThere"]


def test_variables_and_chaining_pass_values_on(tmp_path: Path) -> None:
    ran = run(
        EXAMPLES / "variables-and-chaining.yml", "--parameters", "Greeting=Welcome", logs=tmp_path
    )
    assert ran.exit_code == 0, ran.summary
    lines = ran.outputs("build", "Show")[0]["stdout"].split("\n")
    assert lines == [
        "file=Welcome from build.WriteGreeting",
        f"home={os.environ['HOME']}",
        "platform=linux",
        "text={{.State.Status}}",
    ]
    assert not Path(ran.outputs("build", "ChooseFolder")[0]["stdout"]).exists()


def test_loops_collate_the_outputs_of_their_iterations(tmp_path: Path) -> None:
    ran = run(EXAMPLES / "loops.yml", logs=tmp_path)
    assert ran.exit_code == 0, ran.summary
    assert ran.outputs("build", "Colors")[0]["stdout"] == "0=red\n1=green"
    assert ran.outputs("build", "AgainTheFruits")[0]["stdout"] == (
        "fruit 0 is apple\nfruit 1 is pear\nfruit 2 is plum"
    )


@pytest.mark.parametrize(
    ("parameters", "skipped"),
    [
        ("Edition=small,Megabytes=512", ["OnlyInTheFullEdition"]),
        ("Edition=full,Megabytes=512", []),
        ("Edition=full,Megabytes=256", ["EnoughMemory"]),
    ],
)
def test_conditions_skip_steps(parameters: str, skipped: list[str], tmp_path: Path) -> None:
    ran = run(EXAMPLES / "conditions.yml", "--parameters", parameters, logs=tmp_path)
    assert ran.exit_code == 0, ran.summary
    steps = ran.records["documents"][0]["phases"][0]["steps"]
    assert [step["name"] for step in steps if step["status"] == "skipped"] == skipped


def test_conditions_abort_when_a_requirement_is_not_met(tmp_path: Path) -> None:
    ran = run(EXAMPLES / "conditions.yml", "--parameters", "Edition=odd", logs=tmp_path)
    assert ran.exit_code == 1
    assert [failure["step"] for failure in ran.summary["failures"]] == ["EditionIsKnown"]


def test_failure_handling_counts_and_explains(tmp_path: Path) -> None:
    ran = run(EXAMPLES / "failure-handling.yml", logs=tmp_path)
    assert ran.exit_code == 1
    assert ran.summary["status"] == "failed"
    assert ran.summary["executedStepCount"] == 6
    assert ran.summary["failedStepCount"] == 2
    assert ran.summary["ignoredFailedStepCount"] == 1
    assert ran.step("build", "MayFail")["status"] == "ignoredFailure"
    assert ran.step("build", "WorksTheSecondTime")["status"] == "success"
    assert "NeverRuns" not in ran.log
    failure = ran.summary["failures"][-1]
    assert failure["step"] == "IsNeeded"
    assert failure["exitCode"] == 7
    assert "the disk is too small" in failure["stderrTail"]


def test_nested_documents_run_once_for_every_value_of_the_loop(tmp_path: Path) -> None:
    ran = run(
        EXAMPLES / "nested" / "parent.yml",
        logs=tmp_path,
        folder=EXAMPLES / "nested",
    )
    assert ran.exit_code == 0, ran.summary
    assert "Stdout: Hello Ada" in ran.log
    assert "Stdout: Hello Grace" in ran.log
    assert ran.summary["executedStepCount"] == 1


def test_a_nested_document_without_its_parameter_is_rejected(tmp_path: Path) -> None:
    ended = awstoe(*("run", "--documents", str(EXAMPLES / "nested" / "child.yml")), folder=tmp_path)
    assert ended.returncode == 1
    assert "Person" in ended.stdout + ended.stderr
