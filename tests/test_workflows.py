"""The files in .github: workflows call what exists, with few rights and a time limit."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(
    path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"
)
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
ACTIONLINT = shutil.which("actionlint")

Yaml: TypeAlias = "dict[Any, Any]"

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(path: Path) -> Yaml:
    content = yaml.safe_load(path.read_text())
    assert isinstance(content, dict)
    return content


def steps(workflow: Yaml) -> list[Yaml]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow: Yaml) -> list[str]:
    return [line for step in steps(workflow) for line in step.get("run", "").splitlines()]


@every_workflow
def test_a_workflow_may_only_read_and_has_a_time_limit(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {"contents": "read"}) == {"contents": "read"}, name
        assert 0 < job["timeout-minutes"] <= 180, name


@every_workflow
def test_a_workflow_does_not_keep_credentials_and_pins_its_actions(path: Path) -> None:
    for step in steps(load(path)):
        action = step.get("uses", "")
        if action:
            assert re.fullmatch(r"[\w./-]+@(v[0-9]+(\.[0-9]+)*|[0-9a-f]{40})", action), action
        if action.startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_every_job_runs_tests_by_commands_that_exist(path: Path) -> None:
    workflow = load(path)
    for name, job in workflow["jobs"].items():
        lines = commands({"jobs": {name: job}})
        assert any(re.search(r"\.ci/run|make (test|conformance)|pytest", line) for line in lines)
    for line in commands(workflow):
        command = line.split()
        if command[0] == "make":
            assert command[1] in TARGETS, line
        if command[0].startswith(".ci/"):
            assert (ROOT / command[0]).stat().st_mode & 0o111, line
        for folder in re.findall(r"(?<!\S)tests/\S+", line):
            assert (ROOT / folder).is_dir(), line


def test_one_workflow_runs_what_developers_run() -> None:
    lines = [line for path in WORKFLOWS for line in commands(load(path))]
    assert ".ci/run all" in lines


def test_the_windows_environment_is_made_as_make_makes_it() -> None:
    """The same arguments of pip as in build/awstoe_dev/environment.py."""
    made = (ROOT / "build/awstoe_dev/environment.py").read_text()
    installs = [
        line for line in commands(load(GITHUB / "workflows/windows.yml")) if " pip install " in line
    ]
    assert len(installs) == 2
    for line in installs:
        for option in re.findall(r"(?<!\S)--\S+", line):
            assert f'"{option}"' in made, option


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_a_required_field(path: Path) -> None:
    form = load(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert any(field.get("validations", {}).get("required") for field in fields)
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names))
    assert all(field["attributes"]["label"] for field in fields)


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is not installed")
@every_workflow
def test_actionlint_finds_nothing(path: Path) -> None:
    ended = subprocess.run(
        [ACTIONLINT or "", "-no-color", str(path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
