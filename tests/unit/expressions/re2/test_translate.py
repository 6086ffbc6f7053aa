"""Patterns: RE2's syntax is accepted, and Python finds the same matches."""

import json
import re
import string
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe import limits
from awstoe.expressions.re2 import classes
from awstoe.expressions.re2.translate import PatternError, translate


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of patterns.tsv; its results are those of Go's ``regexp``."""
    lines = Path(__file__).with_name("patterns.tsv").read_text("utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("# ")]
    return [(pattern, json.loads(f'"{text}"'), verdict) for pattern, text, verdict in fields]


def matches(pattern: str, text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return re.compile(*translate(pattern)).search(text) is not None


ROWS = rows()
REJECTED = [pattern for pattern, _, verdict in ROWS if verdict == "refused"]
ACCEPTED = [row for row in ROWS if row[2] != "refused"]


@pytest.mark.parametrize(("pattern", "text", "verdict"), ACCEPTED)
def test_pattern_finds_what_re2_finds(pattern: str, text: str, verdict: str) -> None:
    assert matches(pattern, text) is (verdict == "matches")


@pytest.mark.parametrize("pattern", REJECTED)
def test_patterns_that_re2_rejects_are_rejected(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        translate(pattern)

    assert 0 <= caught.value.position < len(pattern)
    assert caught.value.message.endswith(f"(at character {caught.value.position + 1})")


@pytest.mark.parametrize(
    ("pattern", "position", "message"),
    [
        ("ab[cd", 2, "missing closing ]"),
        ("ab(cd", 2, "missing closing )"),
        ("ab)cd", 2, "unexpected )"),
        ("a(?=b)", 1, "look-around"),
        ("a(?<!b)", 1, "look-around"),
        (r"(a)\1", 3, "back-reference"),
        ("(?P<n>a)(?P=n)", 8, "back-reference"),
        ("(?>a)", 0, "atomic"),
        ("(?(1)a)", 0, "conditional"),
        ("(?#c)", 0, "comment"),
        ("ab++", 3, "possessive"),
        ("*a", 0, "nothing before * to repeat"),
        ("a{1001}", 1, "more than 1000 times"),
        ("a{5,2}", 1, "larger number first"),
        ("((a{100}){11})", 9, "nested repetitions"),
        (r"a\Z", 1, r"\z for the end"),
        (r"a\C", 1, "single byte"),
        ("[z-a]", 1, "wrong order"),
        ("[[:alfa:]]", 1, "alpha"),
        (r"\p{Klingon}", 0, "Greek"),
        ("a\\", 1, "ends with a single"),
        (r"\x{110000}", 0, "10FFFF"),
        ("(?xx)", 0, "does not start a group"),
    ],
)
def test_errors_have_a_position_and_a_reason(pattern: str, position: int, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        translate(pattern)

    assert caught.value.position == position
    assert message in caught.value.message


def test_long_patterns_are_rejected() -> None:
    assert matches("a" * limits.PATTERN_CHARACTERS, "a" * limits.PATTERN_CHARACTERS)
    with pytest.raises(PatternError, match="at most 1000 characters"):
        translate("a" * (limits.PATTERN_CHARACTERS + 1))


def test_deep_groups_work_up_to_the_limit() -> None:
    def nested(levels: int) -> str:
        return "(b?" * levels + "a" + ")" * levels

    assert matches(nested(limits.PATTERN_DEPTH), "a")
    with pytest.raises(PatternError, match="nested more than"):
        translate(nested(limits.PATTERN_DEPTH + 1))


@pytest.mark.parametrize("name", classes.POSIX)
def test_posix_classes_and_their_complements_are_ascii(name: str) -> None:
    for point in [*range(0x180), 0x212A, 0x663]:
        inside = matches(f"[[:{name}:]]", chr(point))
        assert inside is not matches(f"[[:^{name}:]]", chr(point))
        assert not inside or point < 0x80


def test_every_ascii_character_can_be_quoted() -> None:
    for character in map(chr, range(0x80)):
        quoted = f"\\Q{character}\\E"
        assert matches(f"^{quoted}$", character)
        assert not matches(quoted, "é")
        if not character.isalnum():
            assert matches(f"^\\{character}$", character)


def test_general_categories_partition_all_characters() -> None:
    letters = ("C", "L", "M", "N", "P", "S", "Z")
    sets = [classes.unicode_class(letter) for letter in letters]

    assert all(sets)
    together = [span for characters in sets if characters for span in characters]
    assert classes.union(together) == classes.EVERYTHING
    assert sum(high - low + 1 for low, high in together) == 0x110000


SETS = st.lists(
    st.tuples(st.integers(0, 0x250), st.integers(0, 40)).map(lambda pair: (pair[0], sum(pair)))
).map(classes.union)


@given(SETS)
def test_complement_of_the_complement_is_the_set(characters: classes.CharacterSet) -> None:
    assert classes.complement(classes.complement(characters)) == characters
    assert classes.union([*characters, *classes.complement(characters)]) == classes.EVERYTHING


@given(SETS, st.integers(0, 0x300))
def test_expressions_of_sets_match_their_members(
    characters: classes.CharacterSet, point: int
) -> None:
    expression = re.compile(classes.expression(characters), re.DOTALL)

    expected = any(low <= point <= high for low, high in characters)
    assert (expression.fullmatch(chr(point)) is not None) is expected


@given(SETS)
def test_all_cases_contain_the_set_and_are_complete(characters: classes.CharacterSet) -> None:
    folded = classes.with_all_cases(characters)

    assert classes.union([*folded, *characters]) == folded
    assert classes.with_all_cases(folded) == folded


PIECES = st.sampled_from(
    [
        *string.printable,
        r"\d",
        r"\W",
        r"\b",
        r"\B",
        r"\pL",
        r"\Q",
        r"\E",
        "(?i)",
        "(?:",
        "[^",
        "[[:",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_rejected_or_compiles(pattern: str) -> None:
    try:
        translated = translate(pattern)
    except PatternError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re.compile(*translated)


@given(st.text(max_size=100))
def test_quoted_text_matches_itself(text: str) -> None:
    quoted = text.replace("\\E", "")
    assert matches(f"^\\Q{quoted}\\E$", quoted)
