"""Finding Windows programs, in folders that exist only as text."""

import ntpath

import pytest

from awstoe.host.process import program_search

PATH = 'C:\\one; "C:\\two" ;;C:\\three'
FILES = {
    r"C:\one\npm",
    r"C:\one\npm.cmd",
    r"C:\two\tool.exe",
    r"C:\three\tool.bat",
    r"C:\three\plain",
    r"C:\three\page.html",
    r"C:\three\v1.2.exe",
    r"here\local.exe",
}
FOLDED = {each.lower() for each in FILES}


def is_file(path: str) -> bool:
    return ntpath.normpath(path).lower() in FOLDED


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("tool", r"C:\two\tool.exe"),
        ("TOOL", r"C:\two\tool.exe"),
        ("tool.exe", r"C:\two\tool.exe"),
        ("tool.bat", r"C:\three\tool.bat"),
        ("npm", r"C:\one\npm.cmd"),
        ("plain", r"C:\three\plain"),
        ("page.html", r"C:\three\page.html"),
        ("v1.2", r"C:\three\v1.2.exe"),
        ("missing", None),
        (r"C:\two\tool", r"C:\two\tool.exe"),
        (r"here\local", r"here\local.exe"),
        ("here/local.exe", r"here\local.exe"),
        ("local", None),
    ],
)
@pytest.mark.parametrize("names", [("PATH", "PATHEXT"), ("Path", "PathExt")])
def test_program_is_found_as_by_the_system(
    program: str, expected: str | None, names: tuple[str, str]
) -> None:
    environment = {names[0]: PATH, names[1]: ".COM;.EXE;.BAT;.CMD"}
    result = program_search.find(program, environment, is_file)
    assert (result and ntpath.normpath(result).lower()) == (expected and expected.lower())


def test_default_extensions_apply_without_pathext() -> None:
    assert list(program_search.candidates("x", {})) == [
        *("x.COM", "x.EXE", "x.BAT", "x.CMD"),
        "x",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.bat", True), ("A.CMD", True), ("a.cmd .", True), ("a.exe", False), ("bat", False)],
)
def test_batch_files_are_recognized_by_their_name(path: str, *, expected: bool) -> None:
    assert program_search.is_batch_file(path) is expected
