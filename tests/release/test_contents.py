"""Files to send: checksums as S3 computes them, pieces of a file, the bandwidth limit."""

import base64
import hashlib
import io
from pathlib import Path

import pytest

from awstoe_release import contents
from awstoe_release.contents import Bandwidth, Piece
from awstoe_release.failure import ReleaseFailure


def test_a_file_in_parts_has_the_checksum_of_its_parts_checksums(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = bytes(range(256)) * 10
    path.write_bytes(data)
    content = contents.read(str(path), part_size=1000, multipart_from=1)
    parts = [hashlib.sha256(data[at : at + 1000]).digest() for at in (0, 1000, 2000)]
    whole = base64.b64encode(hashlib.sha256(b"".join(parts)).digest()).decode()
    assert content.checksum == f"{whole}-3"
    assert content.sha256 == hashlib.sha256(data).digest()


def test_a_small_file_has_its_own_checksum(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    content = contents.read(str(path), part_size=1000, multipart_from=1)
    assert content.checksum == base64.b64encode(hashlib.sha256(b"").digest()).decode()


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailure, match="cannot be read: No such file"):
        contents.read(str(tmp_path / "gone"), part_size=1, multipart_from=1)


def test_a_piece_reads_only_its_range_and_counts_again_after_a_rewind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    sent: list[int] = []
    with Piece(str(path), 2, 5, bandwidth=Bandwidth(0), sent=sent.append) as piece:
        assert len(piece) == 5
        assert (piece.read(3), piece.read(), piece.read()) == (b"234", b"56", b"")
        assert piece.seek(0) == 0
        assert sum(sent) == 0
        assert piece.read(100) == b"23456"
        assert piece.seek(0, io.SEEK_END) == 5
    assert sum(sent) == 5


def test_the_limit_holds_for_all_uploads_together() -> None:
    waited: list[float] = []
    limit = Bandwidth(1000, clock=lambda: 100.0, sleep=waited.append)
    for _ in range(3):
        limit.take(500)
    assert waited == [0.5, 1.0, 1.5]
