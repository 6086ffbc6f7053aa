"""Finding and reading documents: only regular files are accepted, without waiting for others."""

import io
import os
import socket
import sys
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.document import source
from awstoe.errors import DocumentError

only_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def refusal(path: object) -> source.SourceError:
    with pytest.raises(source.SourceError) as caught:
        source.read(str(path))
    return caught.value


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"a: 1\r\n")

    assert source.read(str(path)) == b"a: 1\r\n"


def test_a_dash_is_standard_input() -> None:
    assert source.read("-", io.BytesIO(b"a: 1")) == b"a: 1"


def test_a_missing_file_suggests_a_file_with_a_similar_name(tmp_path: Path) -> None:
    (tmp_path / "install.yml").touch()

    error = refusal(tmp_path / "instal.yml")

    assert error.reason == "there is no such file"
    assert error.message == f"{tmp_path / 'instal.yml'}: there is no such file"
    assert error.hint == f"did you mean {str(tmp_path / 'install.yml')!r}?"


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nowhere" / "a.yml")

    assert error.hint == f"there is no folder {str(tmp_path / 'nowhere')!r}"


def test_a_folder_is_rejected(tmp_path: Path) -> None:
    assert "expected a file, got a folder" in refusal(tmp_path).message


@only_posix
def test_a_path_through_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.yml").touch()

    assert "a part of this path is a file" in refusal(tmp_path / "a.yml" / "b.yml").message


@only_posix
def test_a_named_pipe_is_rejected_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")

    assert "expected a regular file, got a named pipe" in refusal(tmp_path / "pipe.yml").message


@only_posix
def test_an_endless_device_is_rejected() -> None:
    assert "expected a regular file, got a device" in refusal("/dev/zero").message


@only_posix
def test_a_socket_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is limited to 108 characters
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.yml")

        assert "expected a regular file, got a socket" in refusal("s.yml").message


@only_posix
def test_an_unreadable_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "secret.yml"
    path.touch(mode=0o000)
    if os.access(path, os.R_OK):
        pytest.skip("root can read all files")

    assert "permission denied" in refusal(path).message


@only_posix
def test_a_link_to_itself_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("a.yml")

    assert "the file cannot be read" in refusal(tmp_path / "a.yml").message


def test_a_document_of_11_mib_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "large.yml"
    path.write_bytes(b"#" * (11 * limits.MIB))

    assert "the document is larger than 10 MiB" in refusal(path).message


def test_a_document_of_exactly_10_mib_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yml"
    path.write_bytes(b"#" * limits.DOCUMENT_BYTES)

    assert len(source.read(str(path))) == limits.DOCUMENT_BYTES


def test_endless_standard_input_is_read_to_one_byte_over_the_limit() -> None:
    class Endless(io.BytesIO):
        consumed = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size > 0
            part = b"#" * min(size, 65536)
            self.consumed += len(part)
            return part

    endless = Endless()
    with pytest.raises(DocumentError, match="larger than 10 MiB"):
        source.read("-", endless)

    assert endless.consumed == limits.DOCUMENT_BYTES + 1


@pytest.mark.parametrize("path", ["s3://bucket/a.yml", "arn:aws:imagebuilder:eu-west-1:aws:c/a/1"])
def test_remote_documents_are_rejected(path: str) -> None:
    assert "cannot be used as documents in this version" in refusal(path).message


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_an_invalid_path_is_rejected(path: str) -> None:
    assert refusal(path).message.startswith("expected the path of a document")


def test_a_folder_expands_to_its_documents_sorted(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.json", "sub/D.YML", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    paths = source.expand([str(tmp_path)], stdin_taken=False)

    assert [os.path.relpath(path, tmp_path).replace(os.sep, "/") for path in paths] == [
        "a.yml",
        "b.yaml",
        "sub/D.YML",
        "sub/c.json",
    ]


def test_a_pattern_expands_to_its_matches_sorted(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yml", "c.json"):
        (tmp_path / name).touch()
    (tmp_path / "folder.yml").mkdir()

    paths = source.expand([str(tmp_path / "*.yml")], stdin_taken=False)

    assert paths == [str(tmp_path / "a.yml"), str(tmp_path / "b.yml")]


def test_a_file_whose_name_looks_like_a_pattern_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a[1].yml"
    path.touch()

    assert source.expand([str(path)], stdin_taken=False) == [str(path)]


@pytest.mark.parametrize("name", ["*.yml", "."])
def test_a_name_without_documents_is_rejected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError, match=r"no file matches|there are no documents"):
        source.expand([name], stdin_taken=False)


def test_names_keep_their_order_and_missing_files_are_kept() -> None:
    names = ["z.yml", "a.yml", "-", "s3://bucket/x.yml"]

    assert source.expand(names, stdin_taken=False) == names


@pytest.mark.parametrize(("names", "taken"), [(["-"], True), (["-", "-"], False)])
def test_standard_input_is_only_one_of_the_documents(names: list[str], *, taken: bool) -> None:
    with pytest.raises(DocumentError, match="can be only one of the documents"):
        source.expand(names, stdin_taken=taken)


@only_posix
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C:\\docs\\a.yml", "there is no such file; give the path on this machine"),
        ("\\\\server\\a.yml", "there is no such file; give the path on this machine"),
        ("sub\\a.yml", "there is no such file; did you mean 'sub/a.yml'?"),
        ("dangling.yml", "it is a link to gone.yml, which does not exist; None"),
        ("S3://bucket/a.yml", "S3 URIs cannot be used"),
        ("HTTPS://host/a.yml", "URLs cannot be used"),
    ],
)
def test_a_path_of_another_place_is_recognized(
    name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.yml").touch()
    (tmp_path / "dangling.yml").symlink_to("gone.yml")
    error = refusal(name)
    assert expected in f"{error.reason}; {error.hint}"
