"""The log folder has the same files, keys, key order and line formats as AWSTOE's."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import Golden
from subject import chosen

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "reference" / "toe-folder"
GOLDEN = ROOT / "tests" / "golden" / "toe-folder"
FILES = ("console.log", "application.log", "chaining.json", "detailedoutput.json")

DOCUMENT = """\
name: Three phases
description: What the log folder of a run looks like.
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Greet
        action: ExecuteBash
        inputs:
          commands:
            - echo "hello from build"
            - echo "to stderr" >&2
  - name: validate
    steps:
      - name: Greet
        action: ExecuteBash
        onFailure: Ignore
        inputs:
          commands:
            - echo "hello from validate"
            - exit 3
  - name: test
    steps:
      - name: Loop
        action: ExecuteBash
        loop:
          forEach: [one, two]
        inputs:
          commands:
            - echo "hello {{ loop.value }}"
      - name: Chain
        action: Assert
        inputs:
          stringEquals: "hello one\\nhello two"
          value: "{{ test.Loop.outputs.stdout }}"
"""

MASKS = (
    (r"(?m)^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z ", "TIME "),
    (r"TOE_[0-9A-Za-z_.-]+?_[0-9a-f]{8}-[0-9a-f-]{27}", "TOE_FOLDER"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f-]{21}", "EXECUTION_ID"),
    (r"[^\s\[]*/AWSTOE[0-9]+", "/tmp/AWSTOE_N"),
    (r"script-[0-9]+", "script-N"),
    (
        r"deadline set to [0-9-]{10} [0-9:]{8}\.[0-9]+ \+0000 UTC m=\+[0-9]+\.[0-9]{9}",
        "deadline set to TIME",
    ),
    (r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"', '"TIME"'),
)

NOT_DONE = re.compile(
    r"(?m)^TIME Debug (?:"
    r"Setup: (?:STARTED|FINISHED) DOWNLOADING DOCUMENT"
    r"|Setup: Checking for cycles and nesting limits"
    r"|Setup: (?:STARTED|FINISHED) CREATION OF TOE FILES"
    r"|Setup: (?:Creating|Successfully created) (?:chaining|detailedoutput)\.json"
    r"|Chaining: (?:Generated|Initializ|Created)"
    r"|(?:Created|Initialized|Updated) (?:detailed output|chaining) file"
    r"|Executor: BEFORE UPDATING"
    r"|CLI run: (?:Attempting|Successfully) .*S3 account"
    r"|CLI run: calling UploadDirectoryToS3Func"
    r"|Utils: UploadDirectoryToS3"
    r"|Utils: Skipped uploading"
    r").*\n"
)
"""Lines of AWSTOE about what awstoe does not do, or does at another time."""


def masked(folder: Path, name: str) -> str:
    text = (folder / name).read_text()
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


def run(folder: Path, name: str) -> Path:
    """Run the document ``name`` in ``folder``. Return its log folder."""
    subprocess.run(
        [*chosen().argv, "run", "--documents", name, "-s", "state"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("TOE_*"))


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the log folder of a real run is not part of this repository"
)
@pytest.mark.parametrize("name", FILES)
def test_log_folder_equals_that_of_a_real_run(name: str, tmp_path: Path) -> None:
    document = "hello-world-linux.yml"
    (tmp_path / document).write_bytes((REAL / f"D0__{document}").read_bytes())
    ours = run(tmp_path, document)
    assert {path.name for path in ours.iterdir()} == {path.name for path in REAL.iterdir()}
    got, expected = (NOT_DONE.sub("", masked(folder, name)) for folder in (ours, REAL))
    parsed = r"(Setup: (?:STARTED|FINISHED) (?:PARSING|VALIDATING) DOCUMENT ).*/D0__"
    assert got == re.sub(parsed, r"\1", expected)  # the file that was given, not its copy


def test_log_folder_equals_the_golden_one(tmp_path: Path, golden: Golden) -> None:
    (tmp_path / "three-phases.yml").write_text(DOCUMENT)
    ours = run(tmp_path, "three-phases.yml")
    for name in FILES:
        golden(GOLDEN / name, masked(ours, name))


def test_copy_of_the_document_is_identical(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + DOCUMENT.replace("\n", "\r\n").encode()
    (tmp_path / "d.yml").write_bytes(data)
    ours = run(tmp_path, "d.yml")
    assert (ours / "D0__d.yml").read_bytes() == data
    assert ours.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in ours.iterdir()} == {0o600}
