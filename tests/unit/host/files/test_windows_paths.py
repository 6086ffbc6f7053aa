"""Windows' rules for paths, which are pure text on every platform."""

import pytest

from awstoe.host.files import paths
from awstoe.host.platforms import Platform


@pytest.mark.parametrize(
    ("path", "long"),
    [
        ("C:\\a", "\\\\?\\C:\\a"),
        ("\\\\server\\share\\a", "\\\\?\\UNC\\server\\share\\a"),
        ("\\\\?\\C:\\a", "\\\\?\\C:\\a"),
        ("\\\\.\\pipe\\a", "\\\\.\\pipe\\a"),
    ],
)
def test_the_long_form_of_a_path_is_literal_and_not_displayed(path: str, long: str) -> None:
    assert paths.long_form(path) == long
    assert paths.shown(long) == paths.shown(path)
    assert "?" not in paths.shown(long)


@pytest.mark.parametrize(
    "path",
    [
        *("C:\\NUL", "nul", "C:\\a\\con.txt", "COM1", "a/lpt9.log", "aux .x", "CONOUT$"),
        *("C:\\a.", "C:\\a \\b", "C:\\a<b", 'C:\\a"b', "C:\\a|b", "C:\\a?b", "C:\\a\tb"),
    ],
)
def test_name_that_windows_changes_or_rejects_is_a_problem(path: str) -> None:
    assert paths.name_problem(path, Platform.WINDOWS) is not None
    assert paths.name_problem(path, Platform.LINUX) is None


@pytest.mark.parametrize(
    "path",
    [
        *("C:\\a\\b.txt", "..\\a", ".", "a\\", "C:\\", "\\\\?\\C:\\nul", "\\\\srv\\share\\x"),
        *("console.log", "C:\\com10", "C:\\*.txt", "nulls", "a\\.hidden", "file.txt:stream"),
    ],
)
def test_other_names_are_not_problems(path: str) -> None:
    assert paths.name_problem(path, Platform.WINDOWS) is None
