"""Command lines, checked with the documented rules by which programs split them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe.host.process import command_line
from fakes.windows_arguments import cut_up

WORDS = st.text(st.sampled_from('ab "\\\t%!^&|<>()äß'), max_size=12)


@given(st.lists(WORDS))
def test_programs_get_exactly_the_given_arguments(arguments: list[str]) -> None:
    line = command_line.of_program(["C:\\Program Files\\x.exe", *arguments])
    assert cut_up(line) == ["C:\\Program Files\\x.exe", *arguments]


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["x"], "x"),
        (["a b", "c"], '"a b" c'),
        (["x", ""], 'x ""'),
        (["x", "a b"], 'x "a b"'),
        (["x", 'say "hi"'], r'x "say \"hi\""'),
        (["x", "C:\\a b\\"], 'x "C:\\a b\\\\"'),
        (["x", "C:\\a\\"], "x C:\\a\\"),
        (["x", '\\"'], r'x "\\\""'),
    ],
)
def test_arguments_are_quoted_only_if_needed(argv: list[str], line: str) -> None:
    assert command_line.of_program(argv) == line


@pytest.mark.parametrize("argv", [['a"b'], ["x", "a\0b"], ["a\0b"]])
def test_arguments_that_no_command_line_can_express_are_errors(argv: list[str]) -> None:
    with pytest.raises(ValueError, match=r"null|quote|the character"):
        command_line.of_program(argv)


@pytest.mark.parametrize(
    ("arguments", "inner"),
    [
        ([], '"C:\\s.cmd"'),
        (["a"], '"C:\\s.cmd" "a"'),
        (["&calc", "a|b", "^"], '"C:\\s.cmd" "&calc" "a|b" "^"'),
        (['"&calc'], '"C:\\s.cmd" """&calc"'),
        (["%PATH%"], '"C:\\s.cmd" "%%cd:~,%PATH%%cd:~,%"'),
        (["a\\"], '"C:\\s.cmd" "a\\\\"'),
        ([""], '"C:\\s.cmd" ""'),
    ],
)
def test_no_argument_of_a_batch_file_becomes_a_command(arguments: list[str], inner: str) -> None:
    line = command_line.of_batch_file("C:\\cmd.exe", "C:\\s.cmd", arguments)
    assert line == f'"C:\\cmd.exe" /e:on /v:off /d /c "{inner}"'


@given(st.lists(WORDS))
def test_quotes_in_the_line_of_a_batch_file_are_balanced(arguments: list[str]) -> None:
    assert command_line.of_batch_file("cmd", "s.bat", arguments).count('"') % 2 == 0


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b"])
def test_arguments_that_cmd_cannot_express_are_errors(bad: str) -> None:
    with pytest.raises(ValueError, match="the character"):
        command_line.of_batch_file("cmd", "s.bat", [bad])


@pytest.mark.parametrize("script", ['a".bat', "folder\\"])
def test_script_path_that_would_break_its_quotes_is_an_error(script: str) -> None:
    with pytest.raises(ValueError, match="quote"):
        command_line.of_batch_file("cmd", script, [])
