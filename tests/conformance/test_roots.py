"""The executable runs in minimal systems with an older C library."""

import json
from pathlib import Path

import pytest

from awstoe import __version__
from cli.running import Ended
from conformance import roots
from conformance.place import Place
from conformance.roots import PROGRAM
from subject import chosen

NOTHING_LEFT = ""

DOCUMENT = """\
name: minimal system
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Bash
        action: ExecuteBash
        inputs:
          commands:
            - 'for n in 1 2 3; do printf "%s " $n; done'
            - 'echo "glibc of $BASH_VERSION"'
      - {name: Write, action: CreateFile, inputs: [{path: made/by/awstoe, content: grüße}]}
      - {name: Copy, action: CopyFile, inputs: [{source: made/by/awstoe, destination: copy}]}
      - {name: Owner, action: SetFileOwner, inputs: [{path: copy, owner: "OWNER", group: "OWNER"}]}
      - {name: Mode, action: SetFilePermissions, inputs: [{path: copy, permissions: "0600"}]}
      - {name: Read, action: ReadFile, inputs: [{path: copy, encoding: utf-8}]}
  - name: validate
    steps:
      - name: Same
        action: Assert
        inputs: {stringEquals: grüße, value: "{{ build.Read.outputs.content }}"}
      - name: Missing
        action: ExecuteBinary
        onFailure: Ignore
        inputs: {path: python3}
"""


@pytest.fixture(params=roots.NAMES)
def root(request: pytest.FixtureRequest) -> Path:
    try:
        return roots.obtain(request.param, chosen())
    except roots.RootMissing as missing:
        pytest.skip(str(missing))


def run(place: Place, root: Path, *arguments: str, **options: object) -> Ended:
    try:
        return roots.run(place, root, [PROGRAM, *arguments], **options)  # type: ignore[arg-type]
    except roots.RootMissing as missing:
        pytest.skip(str(missing))


def arguments(place: Place, owner: str = "0") -> list[str]:
    place.write("work/doc.yml", DOCUMENT.replace("OWNER", owner))
    return ["run", "--documents", "doc.yml", "--log-directory", "logs", "-s", "state", "--quiet"]


def test_the_root_has_no_python(root: Path) -> None:
    pythons = [
        path for path in root.rglob("*python*") if path.is_file() and path.stat().st_mode & 1
    ]
    assert pythons == []


def test_the_version_is_printed_in_the_root(place: Place, root: Path) -> None:
    ended = run(place, root, "--version")
    assert ended == (0, f"awstoe {__version__}\n", NOTHING_LEFT)


def test_all_symbols_of_its_libraries_exist(place: Place, root: Path) -> None:
    ended = run(place, root, "version", "--json", environment=["LD_BIND_NOW=1"])
    assert (ended.exit_code, ended.stderr) == (0, NOTHING_LEFT)
    facts = json.loads(ended.stdout)
    assert (facts["version"], facts["executable"]) == (__version__, PROGRAM)


@pytest.mark.parametrize("user", ["0", "65534"])
def test_a_document_runs_in_the_root(place: Place, root: Path, user: str) -> None:
    ended = run(place, root, *arguments(place, user), user=f"{user}:{user}")
    assert (ended.exit_code, ended.stderr) == (0, NOTHING_LEFT)
    assert ended.summary["ignoredFailedStepCount"] == 1
    assert (place.folder / "work" / "copy").read_text(encoding="utf-8") == "grüße"
    assert (place.folder / "work" / "copy").stat().st_uid == int(user)
    (logs,) = (place.folder / "work" / "logs").iterdir()
    console = (logs / "console.log").read_text(encoding="utf-8")
    assert "Stdout: 1 2 3 glibc of 5.1" in console
    assert "TOE has completed execution successfully" in console


def test_without_a_home_the_state_folder_can_be_named(place: Place, root: Path) -> None:
    ended = run(place, root, *arguments(place, "65534"), user="65534:65534")
    assert (ended.exit_code, ended.stderr) == (0, NOTHING_LEFT)


def test_without_a_home_the_state_is_temporary(place: Place, root: Path) -> None:
    given = arguments(place, "65534")
    del given[given.index("-s") : given.index("-s") + 2]
    given.remove("--quiet")
    ended = run(place, root, *given, user="65534:65534")
    assert ended.exit_code == 0
    assert "neither XDG_STATE_HOME nor HOME is set" in ended.stderr
    assert "the state is kept in /tmp/awstoe-state-65534/" in ended.stderr
    assert "--state-directory" in ended.stderr


def test_a_temporary_folder_mounted_noexec_is_skipped(place: Place, root: Path) -> None:
    """Only the folder that TMPDIR names is writable."""
    ended = run(place, root, "--version", temporary="noexec", environment=["TMPDIR=/work"])
    assert (ended.exit_code, ended.stdout) == (0, f"awstoe {__version__}\n")
    assert list((place.folder / "work").iterdir()) == []


def test_the_lack_of_a_folder_to_unpack_to_is_reported(place: Place, root: Path) -> None:
    ended = run(place, root, "--version", temporary="noexec")
    assert ended.exit_code not in (0, 127)
    assert ended.stdout == ""
    assert "TMPDIR" in ended.stderr
    assert "noexec" in ended.stderr


def test_messages_do_not_depend_on_the_root(place: Place, root: Path) -> None:
    ended = run(place, root, "validate", "-d", "missing.yml")
    assert ended.exit_code == 1
    assert "missing.yml: error: there is no such file" in ended.stderr
    ended = run(place, root, "frobnicate")
    assert (ended.exit_code, ended.stdout) == (2, "")
