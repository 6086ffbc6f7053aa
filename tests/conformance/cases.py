"""Runs cases from YAML files: ``cases/<topic>/<name>.yml``.

A file has

    what         a sentence
    platforms    the platforms it is for; both by default
    subject      ``built`` if it is for built files only
    files        files before the run; see ``cases/files.py``
    runs         a list of commands; the keys of a single command may be next to ``files``
    after        files afterwards; see ``cases/files.py``
    linux        keys that differ on Linux
    windows      keys that differ on Windows

and a run

    command      the arguments; folders for logs and state are added to ``run``
    places       false if they are not
    environment  more variables; null removes one
    stdin        the text on standard input
    exit         the exit code; 0 by default
    stdout       all of standard output, or a list of texts in it
    stderr       all of standard error, or a list of texts in it
    silent       texts that are in neither
    json         keys and values of the JSON object on standard output; others are not compared
    steps        by step: status, printed (its stdout), outputs, message (a part of its failure)
    console      lines of console.log, in this order, others between
    logs         all files of the log folder

``$TMP`` is the working directory, ``$SELF`` a file that starts the subject, and ``$VERSION`` its
version.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml

from awstoe import __version__
from awstoe.host.platforms import Platform
from cases.files import compare, create, substitute
from cli.running import Ended
from conformance.place import Place
from subject import Subject, chosen

FOLDER = Path(__file__).parent / "cases"
CASE_KEYS = {
    *("what", "platforms", "subject", "files", "runs", "after", "linux", "windows"),
}
RUN_KEYS = {
    *("command", "places", "environment", "stdin", "exit", "stdout", "stderr", "silent", "json"),
    *("steps", "console", "logs"),
}
STEP_KEYS = {"status", "printed", "outputs", "message"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")

Json = Any


class Case(NamedTuple):
    """One file of cases."""

    name: str
    """Topic and name, as ``loops/for``."""
    content: Mapping[str, Json]

    def suits(self, subject: Subject) -> bool:
        platforms = self.content.get("platforms", list(Platform))
        return subject.platform in platforms and (subject.frozen or "subject" not in self.content)


def load() -> list[Case]:
    """Return all cases, by name."""
    return [
        Case(
            path.relative_to(FOLDER).with_suffix("").as_posix(),
            yaml.safe_load(path.read_text(encoding="utf-8")),
        )
        for path in sorted(FOLDER.glob("*/*.yml"))
    ]


def unknown_keys(case: Case) -> set[str]:
    """Return the keys of a case that have no meaning."""
    unknown: set[str] = set()
    for part in (case.content, *(case.content.get(each, {}) for each in Platform)):
        unknown |= part.keys() - CASE_KEYS - RUN_KEYS
        for run in part.get("runs", ()):
            unknown |= run.keys() - RUN_KEYS
            for step in run.get("steps", {}).values():
                unknown |= step.keys() - STEP_KEYS
        for step in part.get("steps", {}).values():
            unknown |= step.keys() - STEP_KEYS
    return unknown


def perform(case: Case, place: Place, subject: Subject) -> None:
    """Run a case on the subject, and check all that it expects."""
    variables = {
        "TMP": subject.native_path(place.folder),
        "SELF": subject.path,
        "VERSION": __version__,
    }
    declared = {**case.content, **case.content.get(subject.platform, {})}
    content = cast("dict[str, Json]", substitute(declared, variables))
    create(place.folder, content.get("files", {}))
    alone = {key: content[key] for key in RUN_KEYS & content.keys()}
    for run in content.get("runs") or [alone]:
        perform_run(run, place)
    compare(place.folder, content.get("after", {}))


def perform_run(run: Mapping[str, Json], place: Place) -> None:
    """Run one command of a case, and check its results."""
    command = [str(each) for each in run["command"]]
    if command[:1] == ["run"] and run.get("places", True):
        command += ["--log-directory", "logs", "--state-directory", "state"]
    given = dict(run.get("environment", {}))
    if chosen().under_wine:  # Wine takes the encoding of file names from the locale
        given = {name: value for name, value in given.items() if name not in ("LC_ALL", "LANG")}
    kept = dict(place.environment)
    for name, value in given.items():
        place.environment.pop(name, None)
        if value is not None:
            place.environment[name] = str(value)
    ended = place.call([*place.program, *command], stdin=run.get("stdin"))
    place.environment = kept
    # Windows may end lines in its own way.
    ended = ended._replace(stdout=ended.stdout.replace("\r\n", "\n"))
    output = f"{ended.stdout}\n{ended.stderr}"
    assert ended.exit_code == run.get("exit", 0), output
    assert "Traceback" not in output, output
    check_text(ended.stdout, run.get("stdout", []))
    check_text(ended.stderr, run.get("stderr", []))
    for text in run.get("silent", ()):
        assert text not in output
    if "json" in run:
        check_json(json.loads(ended.stdout), run["json"], "")
    if run.keys() & {"steps", "console", "logs"}:
        check_logs(run, logs_of(ended, place))


def logs_of(ended: Ended, place: Place) -> Path:
    """Return the log folder that the result of a run names; it has to exist."""
    url: str = ended.summary["logUrl"]
    folder = place.folder / "logs" / re.split(r"[\\/]", url)[-1]
    assert folder.is_dir(), url
    assert url == chosen().native_path(folder)
    return folder


def check_text(actual: str, wanted: str | list[str]) -> None:
    if isinstance(wanted, str):
        assert actual == wanted
        return
    for text in wanted:
        assert text in actual


def check_json(actual: Json, wanted: Json, where: str) -> None:
    """Compare the keys that ``wanted`` has; lists must have the same length."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            assert key in actual, f"{where}.{key} is missing in {actual}"
            check_json(actual[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(actual) == len(wanted), f"{where}: {actual}"
        for number, value in enumerate(wanted):
            check_json(actual[number], value, f"{where}[{number}]")
    else:
        assert actual == wanted, where


def check_logs(run: Mapping[str, Json], folder: Path) -> None:
    """Compare the log folder of a run."""
    if "logs" in run:
        assert sorted(path.name for path in folder.iterdir()) == sorted(run["logs"])
    lines = (folder / "console.log").read_text(encoding="utf-8").splitlines()
    messages = iter([TIME.sub("", line) for line in lines])
    for wanted in run.get("console", ()):
        assert wanted in messages, f"{wanted!r} in that order is not in {lines}"
    records = json.loads((folder / "detailedoutput.json").read_text(encoding="utf-8"))
    steps = {
        step["name"]: step
        for document in records["documents"]
        for phase in document["phases"]
        for step in phase["steps"]
    }
    for name, wanted in run.get("steps", {}).items():
        assert name in steps, f"{name} is not in {list(steps)}"
        check_step(steps[name], wanted)


def check_step(step: dict[str, Json], wanted: dict[str, Json]) -> None:
    """Compare the record of a step."""
    name = step["name"]
    assert wanted.get("status", step["status"]) == step["status"], step
    assert wanted.get("message", "") in step["failureMessage"]
    if "printed" in wanted:
        assert json.loads(step["outputs"])[0]["stdout"] == wanted["printed"], name
    if "outputs" in wanted:
        check_json(json.loads(step["outputs"]), wanted["outputs"], name)
