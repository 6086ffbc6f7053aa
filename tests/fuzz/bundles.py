"""Bundles: nothing that was not signed leaves one, and no archive raises, hangs or fills memory."""

import functools
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from awstoe.errors import AwstoeError
from awstoe.trust import release_trust
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import bundle_check, fetch, layout, release_index
from awstoe.update.bundle import Bundle
from fakes.releases import Publisher, make_keys, shell_program
from fuzz import children
from fuzz.bundle_cases import make
from fuzz.campaign import Batch, Fault, chance_of

_ACCEPTED, _REFUSED, _UNSIGNED = 0, 1, 77
_VERSIONS = ("1.0.0", "1.1.0")


class _Published(NamedTuple):
    """What a publisher has signed."""

    files: dict[str, bytes]
    """By their paths in a bundle."""
    trust: ReleaseTrust
    programs: frozenset[bytes]


@functools.cache
def _published() -> _Published:
    kept = children.folder()
    folder = Path(kept.name)
    publisher = Publisher(folder / "region", make_keys())
    programs = [
        publisher.add(version, shell_program(version, padding=2000), target=target)
        for version in _VERSIONS
        for target in (("linux", "amd64"), ("linux", "arm64"))
    ]
    trust = release_trust.read(str(publisher.write_trust(folder / "trust", "https://x/{region}/")))
    assert trust is not None
    region = folder / "region"
    files = {
        path.relative_to(region).as_posix(): path.read_bytes()
        for path in sorted(region.rglob("*"))
        if path.is_file()
    }
    kept.cleanup()
    return _Published(files, trust, frozenset(programs))


class Bundles:
    """Verifies and unpacks changed bundles."""

    name = "bundles"
    cases_at_once = 100
    success = "accepted"

    def missing(self) -> str:
        return ""

    def prepare(self) -> None:
        _published()

    def run(self, seed: int, cases: range) -> Batch:
        published = _published()
        counts: Counter[str] = Counter()
        faults: list[Fault] = []
        with children.folder() as folder:
            paths = {number: Path(folder, str(number), "awstoe.bundle") for number in cases}
            for number, path in paths.items():
                path.parent.mkdir()
                path.write_bytes(make(chance_of(seed, self.name, number), published.files))
            results = children.run(
                [functools.partial(_use, path, published) for path in paths.values()]
            )
            for (number, path), ended in zip(paths.items(), results, strict=True):
                rule = ended.broken_rule()
                if not rule and ended.code not in (_ACCEPTED, _REFUSED):
                    rule = f"unpacked what was not signed: {ended.output[-300:]}"
                left = sorted(os.listdir(path.parent))
                if not rule and left != [path.name, "unpacked"]:
                    rule = f"wrote beside its folder: {left}"
                counts["accepted" if ended.code == _ACCEPTED else "rejected"] += 1
                if rule:
                    faults.append(Fault(number, rule, {path.name: path.read_bytes()}))
        return Batch(counts, faults)


def _use(path: Path, published: _Published) -> int:
    """Verify a bundle, and then unpack it as an update does. Return whether it was accepted."""
    folder = path.parent / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)  # of this case, which runs again
    folder.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        bundle_check.check(str(path), published.trust)
        verdict = _ACCEPTED
    except AwstoeError:
        verdict = _REFUSED
    unpacked: list[Path] = []
    try:
        _unpack(path, folder, published.trust, unpacked)
    except AwstoeError:
        verdict = _REFUSED
    for each in unpacked:
        if each.read_bytes() not in published.programs:
            sys.stderr.write(f"{each.name}: {each.read_bytes()[:50]!r}\n")
            return _UNSIGNED
    return verdict


def _unpack(path: Path, folder: Path, trust: ReleaseTrust, unpacked: list[Path]) -> None:
    """Fetch every program that the bundle offers, and add their paths to ``unpacked``.

    A file that is incomplete stays in the private folder, where an update would continue it.
    """
    metadata, programs = folder / "metadata", folder / "programs"
    metadata.mkdir()
    programs.mkdir()
    with Bundle(str(path)) as bundle:
        index = release_index.refresh(bundle, trust.root, str(metadata))
        for release in index.releases:
            if bundle.has(release.path):
                assert layout.parse_program_path(release.path)
                fetch.signature([bundle], release)
                done = fetch.program([bundle], release, str(programs), lambda *_: None)
                unpacked.append(Path(done))
