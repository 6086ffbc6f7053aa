"""The build facts in an executable, and the release trust."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe_build import build_info, source_info, trust_files
from awstoe_build.build_info import Component
from awstoe_build.failure import BuildFailure


def install(site: Path, metadata: str, *files: str) -> None:
    """Install a distribution with these lines of metadata and these files."""
    lines = dict(line.split(": ", 1) for line in metadata.splitlines())
    place = site / f"{lines['Name']}-{lines['Version']}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.4\n{metadata}\n")
    listed = [*files, f"{place.name}/METADATA"]
    (place / "RECORD").write_text("".join(f"{name},,\n" for name in listed))


def test_only_packages_inside_are_listed_with_version_and_license(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(site, "Name: One\nVersion: 1.0\nLicense-Expression: MIT", "one/__init__.py", "_one.py")
    install(site, "Name: two\nVersion: 2\nLicense: Apache-2.0", "two.py")
    install(site, "Name: six\nVersion: 3\nClassifier: License :: OSI Approved :: X", "six.py")
    path = tmp_path / "facts.json"
    build_info.write(
        str(path),
        {"version": "0.1.0", "commit": None},
        components=[["CPython", "3.13", "PSF-2.0", []], ["bzip2", "1", "bzip2-1.0.6", ["_bz2"]]],
        names=["one.part", "six"],
        site=str(site),
    )
    assert json.loads(path.read_text()) == {
        "version": "0.1.0",
        "commit": None,
        "packages": [
            {"name": "CPython", "version": "3.13", "license": "PSF-2.0"},
            {"name": "One", "version": "1.0", "license": "MIT"},
            {"name": "six", "version": "3", "license": "X"},
        ],
    }


def test_a_package_without_a_license_stops_the_build(tmp_path: Path) -> None:
    install(tmp_path, "Name: one\nVersion: 1.0", "one.py")
    with pytest.raises(ValueError, match="the metadata of one names no license"):
        build_info.distributions(str(tmp_path))


def test_a_compiled_package_is_listed_with_its_modules(tmp_path: Path) -> None:
    install(tmp_path, "Name: cffi\nVersion: 2\nLicense-Expression: MIT-0", "cffi/__init__.py")
    assert build_info.distributions(str(tmp_path)) == [
        Component("cffi", "2", "MIT-0", ("_cffi_backend",))
    ]


def git(folder: Path, *arguments: str) -> None:
    author = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    environment = {**os.environ, **author, **dates, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "one.py").write_text("1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_the_build_has_the_commit_and_its_time(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    facts = source_info.read(str(tree))
    assert facts.commit is not None
    assert len(facts.commit) == 40
    assert facts.date() == "2023-11-14T22:13:20Z"


def test_a_tree_with_changes_is_marked(tree: Path) -> None:
    (tree / "src" / "one.py").write_text("2\n")
    commit = source_info.read(str(tree)).commit
    assert commit is not None
    assert commit.endswith("+changes")


def test_without_git_the_time_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    missing = str(tmp_path / "nothing")
    assert source_info.read(missing) == source_info.Origin(None, 1)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    with pytest.raises(BuildFailure, match="cannot read the time of the commit") as failure:
        source_info.read(missing)
    assert "SOURCE_DATE_EPOCH" in failure.value.hint


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir()
    for name in ("trust.json", "root.json", "awstoe.gpg"):
        (folder / name).write_text(name)
    facts = {"format": 1, "product": "x", "rehearsal": True, "url": "", "openpgp": {}}
    (folder / "trust.json").write_text(json.dumps({**facts, "authenticode": {}}))
    return folder


def test_the_release_trust_is_copied_into_the_sources(trust: Path, tmp_path: Path) -> None:
    (trust / "authenticode.pem").write_text("x")
    place = tmp_path / "awstoe" / "trust" / "release"
    names = trust_files.copy(str(trust), str(place))
    assert names == ["authenticode.pem", "awstoe.gpg", "root.json", "trust.json"]
    assert (place / "root.json").read_text() == "root.json"


def spoil(folder: Path, how: str) -> None:
    match how:
        case "missing":
            (folder / "root.json").unlink()
        case "other":
            (folder / "private.pem").touch()
        case "link":
            (folder / "root.json").unlink()
            (folder / "root.json").symlink_to(folder / "trust.json")
        case "old":
            (folder / "trust.json").write_text('{"format": 0}')
        case _:
            (folder / "root.json").write_bytes(bytes(1_000_001))


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("missing", "root.json is missing"),
        ("other", "private.pem does not belong there"),
        ("link", "root.json is not a regular file"),
        ("large", "root.json has more than 1,000,000 bytes"),
        ("old", "is not valid: .*format 0, expected 1"),
    ],
)
def test_an_invalid_folder_of_release_trust_is_rejected(
    trust: Path, tmp_path: Path, how: str, problem: str
) -> None:
    spoil(trust, how)
    with pytest.raises(BuildFailure, match=problem):
        trust_files.copy(str(trust), str(tmp_path / "place"))
    assert not (tmp_path / "place").exists()


def test_a_missing_package_for_checking_trust_is_named(
    trust: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build on Windows needs no packages unless it includes release trust."""
    monkeypatch.setitem(sys.modules, "awstoe.trust", None)
    with pytest.raises(BuildFailure, match="cannot check TRUST=") as failure:
        trust_files.copy(str(trust), str(tmp_path / "place"))
    assert failure.value.hint == f"run: {sys.executable} -m pip install cryptography"
    assert not (tmp_path / "place").exists()


def test_a_missing_folder_of_release_trust_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildFailure, match="cannot read TRUST="):
        trust_files.copy(str(tmp_path / "nothing"), str(tmp_path / "place"))
