"""Runs every case of this folder: ``<Action>/<what happens>.yml``.

A case has any of these keys. As in documents, scalars keep their text from the file:

    files     the files in the otherwise empty working directory; see ``cases/files.py``
    inputs    a list of operations
    umask     of the process; 022 by default
    root      true: needs root; false: needs any other user (root becomes one)
    outputs   the outputs of the operations, in order
    error     texts in the failure's message and hint
    log       texts in the log
    after     files afterwards; see ``cases/files.py``

``$TMP`` in any text is the working directory; ``VARIABLES`` has the others.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypedDict, cast

import pytest
import yaml

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS
from awstoe.errors import ActionError
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform
from cases.files import Shape, compare, create, substitute
from fakes.action_context import RecordingContext

CASES = sorted(Path(__file__).parent.glob("*/*.yml"))
NOBODY = 65534
VARIABLES = {
    "LONG": "x" * 256,
    "MARK": chr(0xFEFF),
    "FACE": chr(0x1F600),
    "HALF": chr(0xDCFF),  # half of a surrogate pair; in a name, the byte 0xff
}


class Case(TypedDict, total=False):
    files: dict[str, Shape]
    inputs: list[dict[str, Value]]
    umask: str
    root: str
    outputs: list[dict[str, str]]
    error: list[str]
    log: list[str]
    after: dict[str, Shape]


def identify(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    before = os.umask(0o022)
    yield place
    os.umask(before)


@contextmanager
def another_user(folder: Path) -> Iterator[None]:
    """Switch from root to the user nobody, who then owns everything in ``folder``."""
    if os.geteuid() != 0:
        yield
        return
    for entry in [folder, *folder.rglob("*")]:
        os.chown(entry, NOBODY, NOBODY, follow_symlinks=False)
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def run(
    action: str, operations: list[dict[str, Value]], context: RecordingContext
) -> list[dict[str, str]]:
    """Run the operations as the engine does: convert all inputs before the first is used."""
    module = schema.schema(action).module
    try:
        typed = [schema.typed_inputs(action, operation) for operation in operations]
    except ValueError as error:
        raise ActionError(f"{action}: {error}") from error
    results = [module.run(inputs, context) for inputs in typed]
    return [outputs._asdict() for outputs in results if outputs is not None]


@pytest.mark.parametrize("path", CASES, ids=identify)
def test_case(path: Path, folder: Path) -> None:
    # BaseLoader: every scalar is its text in the file.
    content = yaml.load(path.read_text(), yaml.BaseLoader)
    case = cast("Case", substitute(content, {"TMP": str(folder), **VARIABLES}))
    assert set(case) <= set(Case.__annotations__), "unknown key in the case"
    if case.get("root") == "true" and os.geteuid() != 0:
        pytest.skip("needs root")
    create(folder, case.get("files", {}))
    os.umask(int(case.get("umask", "022"), 8))
    context = RecordingContext()
    action = path.parent.name
    user = another_user(folder) if case.get("root") == "false" else nullcontext()

    if "error" in case:
        with user, pytest.raises(ActionError) as caught:
            run(action, case["inputs"], context)
        text_shown = f"{caught.value.message}\n{caught.value.hint}"
        assert caught.value.message.startswith(f"{action}: ")
        assert "Errno" not in text_shown
        for text in case["error"]:
            assert text in text_shown
    else:
        with user:
            outputs = run(action, case["inputs"], context)
        assert outputs == case.get("outputs", [])
        assert context.log.lines[0] == f"{action}: STARTED EXECUTION"
        assert context.log.lines[-1] == f"{action}: FINISHED EXECUTION"

    for text in case.get("log", []):
        assert text in "\n".join(context.log.lines)
    compare(folder, case.get("after", {}))
    left = [entry for entry in folder.rglob("*") if entry.name.startswith(".awstoe-")]
    assert not left, "an incomplete file was left"


def test_every_file_system_action_has_cases() -> None:
    """All but those that run programs and documents, or exist only on Windows."""
    covered = {path.parent.name for path in CASES}
    others = {"ExecuteBash", "ExecuteBinary", "ExecuteDocument", "Assert", "Reboot", "UpdateOS"}
    built = {
        name for name, row in ACTIONS.items() if row.implemented and Platform.LINUX in row.platforms
    }
    assert built - others == covered
