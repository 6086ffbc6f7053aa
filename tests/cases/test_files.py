"""The reader of declared files: what it creates, and that a difference fails."""

import os
import sys
from pathlib import Path

import pytest

from cases.files import Shape, compare, create, substitute

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and modes of POSIX")

EXAMPLES: dict[str, Shape] = {
    "text": "hello",
    "a/b/content": {"content": "grüße\n"},
    "hex": {"hex": "00ff0d0a"},
    "bytes": {"bytes": "4096"},
    "folder": {"folder": True},
    "folder in BaseLoader's texts": {"folder": "true"},
}
POSIX_EXAMPLES: dict[str, Shape] = {
    "fifo": {"fifo": True},
    "link": {"link": "nowhere"},
    "mode": {"content": "x", "mode": "4750"},
    "folder with a mode": {"folder": True, "mode": "0700"},
}
DIFFERENT: list[Shape] = [
    "other",
    {"hex": "6162"},
    {"bytes": "4"},
    {"folder": True},
    {"missing": True},
]
POSIX_DIFFERENT: list[Shape] = [
    {"content": "abc", "mode": "0600"},
    {"fifo": True},
    {"owner": "no-such-user"},
    {"group": "4294967294"},
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_created_compares_as_equal(name: str, tmp_path: Path) -> None:
    create(tmp_path, {name: EXAMPLES[name]})

    assert os.path.lexists(tmp_path / name)
    compare(tmp_path, {name: EXAMPLES[name]})


@needs_posix
@pytest.mark.parametrize("name", POSIX_EXAMPLES)
def test_equal_posix_metadata_compares_as_equal(name: str, tmp_path: Path) -> None:
    create(tmp_path, {name: POSIX_EXAMPLES[name]})

    compare(tmp_path, {name: POSIX_EXAMPLES[name]})


@pytest.mark.parametrize("shape", DIFFERENT, ids=str)
def test_a_difference_fails_the_comparison(shape: Shape, tmp_path: Path) -> None:
    create(tmp_path, {"a": "abc"})

    with pytest.raises(AssertionError):
        compare(tmp_path, {"a": shape})


@needs_posix
@pytest.mark.parametrize("shape", POSIX_DIFFERENT, ids=str)
def test_a_difference_in_posix_metadata_fails_the_comparison(shape: Shape, tmp_path: Path) -> None:
    create(tmp_path, {"a": {"content": "abc", "mode": "0640"}})

    with pytest.raises(AssertionError):
        compare(tmp_path, {"a": shape})


def test_a_folder_is_compared_by_the_names_in_it(tmp_path: Path) -> None:
    create(tmp_path, {"d/b": "", "d/a": ""})

    compare(tmp_path, {"d": {"folder": True, "entries": ["a", "b"]}})
    with pytest.raises(AssertionError):
        compare(tmp_path, {"d": {"entries": ["a"]}})


def test_a_missing_path_fails_when_a_link_to_nowhere_is_there(tmp_path: Path) -> None:
    compare(tmp_path, {"a": {"missing": True}})
    (tmp_path / "a").symlink_to("nowhere")

    with pytest.raises(AssertionError):
        compare(tmp_path, {"a": {"missing": True}})


def test_a_link_is_compared_as_a_link_and_by_the_content_of_its_target(tmp_path: Path) -> None:
    create(tmp_path, {"d/a": "x", "to-file": {"link": "d/a"}, "to-folder": {"link": "d"}})

    compare(tmp_path, {"to-file": {"link": "d/a", "content": "x"}})
    with pytest.raises(AssertionError):
        compare(tmp_path, {"to-folder": {"folder": True}})


def test_a_hard_link_is_relative_to_the_folder_of_the_case(tmp_path: Path) -> None:
    create(tmp_path, {"d/a": "x", "e/b": {"hardlink": "d/a"}})

    assert (tmp_path / "d/a").samefile(tmp_path / "e/b")


@needs_posix
def test_owner_and_group_are_numbers_or_names(tmp_path: Path) -> None:
    import grp  # noqa: PLC0415 - only on POSIX
    import pwd  # noqa: PLC0415 - only on POSIX

    create(tmp_path, {"a": "x"})
    user, group = os.geteuid(), (tmp_path / "a").stat().st_gid

    compare(tmp_path, {"a": {"owner": str(user), "group": str(group)}})
    compare(
        tmp_path,
        {"a": {"owner": pwd.getpwuid(user).pw_name, "group": grp.getgrgid(group).gr_name}},
    )


@pytest.mark.parametrize(
    "shape",
    [{"mode": "0600"}, {"missing": True}, {"content": "x", "hex": "00"}, {"contents": "x"}],
    ids=str,
)
def test_a_shape_without_content_to_create_is_an_error(shape: Shape, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be created"):
        create(tmp_path, {"a": shape})


def test_an_empty_shape_is_an_error(tmp_path: Path) -> None:
    create(tmp_path, {"a": "x"})

    with pytest.raises(ValueError, match="a: the shape is empty"):
        compare(tmp_path, {"a": {}})


def test_unknown_keys_and_values_that_are_not_text_are_errors(tmp_path: Path) -> None:
    create(tmp_path, {"a": "x"})

    with pytest.raises(ValueError, match="'contents' cannot be compared"):
        compare(tmp_path, {"a": {"contents": "x"}})
    with pytest.raises(ValueError, match="'mode' is not a text: 420"):
        compare(tmp_path, {"a": {"mode": 0o644}})  # type: ignore[dict-item]  # YAML's 0644


def test_variables_are_replaced_in_all_texts() -> None:
    variables = {"TMP": "/folder", "X": "1"}
    value = {"$TMP/a": ["${X}h", "$TMPDIR ${TMPDIR} $5 {{ x }}", 7, None]}

    assert substitute(value, variables) == {
        "/folder/a": ["1h", "$TMPDIR ${TMPDIR} $5 {{ x }}", 7, None]
    }
