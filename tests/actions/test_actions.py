"""Runs every case of this folder: ``<Action>/<what happens>.yml``.

A case has any of these keys; scalars keep the text of the file, as in documents:

    files     the initial content of the working directory, by path; see ``put``
    inputs    a list of operations
    umask     of the process; default: 022
    root      true: needs root; false: needs another user (root becomes one)
    outputs   the outputs of the operations, in order
    error     texts that the error's message and hint contain
    log       texts that the log contains
    after     the content of the working directory afterwards, by path; see ``OBSERVED``

``{tmp}`` in any text is the working directory; see ``PLACEHOLDERS`` for the others.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias, TypedDict, cast

import pytest
import yaml

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS
from awstoe.errors import ActionError
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform
from fakes.action_context import RecordingContext

CASES = sorted(Path(__file__).parent.glob("*/*.yml"))
NOBODY = 65534
PLACEHOLDERS = {
    "{long}": "x" * 256,
    "{mark}": chr(0xFEFF),
    "{face}": chr(0x1F600),
    "{half}": chr(0xDCFF),  # half of a surrogate pair; in a name, the byte 0xff
}

Described: TypeAlias = "str | Mapping[str, str]"
"""A file's text, or the keys of ``put`` and ``OBSERVED``."""


class Case(TypedDict, total=False):
    files: dict[str, Described]
    inputs: list[dict[str, Value]]
    umask: str
    root: str
    outputs: list[dict[str, str]]
    error: list[str]
    log: list[str]
    after: dict[str, Described]


OBSERVED: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: str(not os.path.lexists(path)).lower(),
    "content": lambda path: path.read_bytes().decode(),
    "hex": lambda path: path.read_bytes().hex(),
    "bytes": lambda path: str(path.stat().st_size),
    "link": lambda path: str(path.readlink()),
    "folder": lambda path: str(path.is_dir() and not path.is_symlink()).lower(),
    "fifo": lambda path: str(path.is_fifo()).lower(),
    "mode": lambda path: f"{stat.S_IMODE(path.lstat().st_mode):04o}",
    "owner": lambda path: f"{path.lstat().st_uid}:{path.lstat().st_gid}",
    "entries": lambda path: sorted(os.listdir(path)),
}


def identify(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def put(path: Path, wanted: Described) -> None:
    """Create what a case describes: text, or a folder, link, hardlink, fifo, hex or content."""
    if isinstance(wanted, str):
        wanted = {"content": wanted}
    path.parent.mkdir(parents=True, exist_ok=True)
    if "link" in wanted:
        path.symlink_to(wanted["link"])
        return
    if "hardlink" in wanted:
        path.hardlink_to(wanted["hardlink"])
        return
    if "fifo" in wanted:
        os.mkfifo(path)
    elif "folder" in wanted:
        path.mkdir(exist_ok=True)
    elif "bytes" in wanted:
        with path.open("wb") as file:
            file.truncate(int(wanted["bytes"]))
    elif "hex" in wanted:
        path.write_bytes(bytes.fromhex(wanted["hex"]))
    else:
        path.write_bytes(wanted["content"].encode())
    if "mode" in wanted:
        path.chmod(int(wanted["mode"], 8))


def check(path: Path, wanted: Described) -> None:
    for key, value in ({"content": wanted} if isinstance(wanted, str) else wanted).items():
        assert (key, OBSERVED[key](path)) == (key, value)


def with_folder(value: Value, folder: str) -> Value:
    """Return ``value`` with ``{tmp}`` replaced in all texts."""
    if isinstance(value, str):
        for name, text in ({"{tmp}": folder} | PLACEHOLDERS).items():
            value = value.replace(name, text)
        return value
    if isinstance(value, list):
        return [with_folder(entry, folder) for entry in value]
    if isinstance(value, dict):
        return {str(with_folder(k, folder)): with_folder(v, folder) for k, v in value.items()}
    return value


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
    found = [module.run(inputs, context) for inputs in typed]
    return [outputs._asdict() for outputs in found if outputs is not None]


@pytest.mark.parametrize("path", CASES, ids=identify)
def test_case(path: Path, folder: Path) -> None:
    # BaseLoader: every scalar is the text in the file.
    case = cast("Case", with_folder(yaml.load(path.read_text(), yaml.BaseLoader), str(folder)))
    assert set(case) <= set(Case.__annotations__), "unknown key in the case"
    if case.get("root") == "true" and os.geteuid() != 0:
        pytest.skip("needs root")
    for name, wanted in case.get("files", {}).items():
        put(folder / name, wanted)
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
    for name, wanted in case.get("after", {}).items():
        check(folder / name, wanted)
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
