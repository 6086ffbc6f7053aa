"""The files of a version besides its programs: bill of materials, provenance, notes, scripts."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from awstoe_release import provenance, sbom, source_tree
from awstoe_release.failure import ReleaseFailure
from awstoe_release.installers import script
from awstoe_release.release import REPOSITORY, Release
from fakes.release_world import TARGETS, World

FACTS = {
    "version": "1.0.0",
    "packages": [
        {"name": "PyYAML", "version": "6.0.3", "license": "MIT"},
        {"name": "requests", "version": "0.0.1", "license": "Apache-2.0"},
        {"name": "tuf", "version": "7.0.1", "license": "Apache-2.0 OR MIT"},
        {"name": "rich", "version": "15.0.0", "license": None},
        {"name": "zlib", "version": "1:1.3", "license": "Zlib"},
    ],
}
LOCK = f"""\
# comment
pyyaml==6.0.3 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
requests==2.34.2 \\
    --hash=sha256:{"c" * 64}
rich==15.0.0 ; python_version < '4' \\
    --hash=sha256:{"d" * 64}
tuf==7.0.1 \\
    --hash=sha256:{"e" * 64}
"""


@pytest.fixture
def release(world: World) -> Release:
    return World(world.server, world.settings, world.folder, lambda: "no-keys").release("1.0.0")


def test_the_bill_of_materials_is_cyclonedx_of_what_is_inside(release: Release) -> None:
    inside: dict[str, dict[str, Any]] = dict.fromkeys(TARGETS, FACTS)
    data = json.loads(sbom.document(release, inside, LOCK))
    assert (data["bomFormat"], data["specVersion"], data["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", data["serialNumber"])
    assert data["metadata"]["component"]["version"] == "1.0.0"
    components = {each["name"]: each for each in data["components"]}
    assert set(components) == {"pyyaml", "requests", "tuf", "rich", "zlib"}
    yaml = components["pyyaml"]
    assert yaml["purl"] == "pkg:pypi/pyyaml@6.0.3"
    assert yaml["licenses"] == [{"license": {"id": "MIT"}}]
    hashes = [each["hashes"][0]["content"] for each in yaml["externalReferences"]]
    assert hashes == ["a" * 64, "b" * 64]
    # A version that is not in the lock has none of its hashes.
    assert "externalReferences" not in components["requests"]
    assert components["tuf"]["licenses"] == [{"expression": "Apache-2.0 OR MIT"}]
    assert "licenses" not in components["rich"]
    assert components["zlib"]["purl"] == "pkg:generic/zlib@1%3A1.3"
    assert [each["value"] for each in yaml["properties"]] == list(TARGETS)
    references = [each["bom-ref"] for each in data["components"]]
    assert len({*references}) == len(references)
    assert data["dependencies"][0]["dependsOn"] == sorted(references)


def test_programs_without_build_info_are_described_by_the_lock_and_marked(
    release: Release,
) -> None:
    data = json.loads(sbom.document(release, {"linux/386": {}}, LOCK))
    assert {each["name"] for each in data["components"]} == {"pyyaml", "requests", "rich", "tuf"}
    properties = data["metadata"]["properties"]
    assert {"name": "awstoe:from-lock-only", "value": "linux/386"} in properties


def test_the_real_lock_can_be_read(release: Release) -> None:
    lock = Path(REPOSITORY, "requirements.lock").read_text()
    data = json.loads(sbom.document(release, {"linux/386": {}}, lock))
    entries = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
    assert len(data["components"]) == len(entries)
    assert all(each["externalReferences"] for each in data["components"])


def test_the_provenance_is_an_in_toto_statement_with_the_slsa_predicate(release: Release) -> None:
    digests = {"linux/amd64/awstoe": "a" * 64, "linux/386/awstoe": "b" * 64}
    data = json.loads(provenance.statement(release, digests, "c" * 64))
    assert data["_type"] == "https://in-toto.io/Statement/v1"
    assert data["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {each["name"]: each["digest"]["sha256"] for each in data["subject"]}
    assert subjects == digests
    definition = data["predicate"]["buildDefinition"]
    assert set(definition) >= {"buildType", "externalParameters", "resolvedDependencies"}
    assert {"gitCommit": release.commit} in [
        each["digest"] for each in definition["resolvedDependencies"]
    ]
    assert data["predicate"]["runDetails"]["builder"]["id"]


def test_the_checksums_list_every_file_and_are_reproducible(world: World) -> None:
    release = world.release("1.0.0")
    world.run(release, until="describe")
    sums = Path(release.document("SHA256SUMS")).read_text()
    for line in sums.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(Path(release.document(name)).read_bytes()).hexdigest() == digest
    assert {line.split("  ")[1] for line in sums.splitlines()} == {
        *(f"{target}/awstoe" for target in TARGETS),
        *("sbom.cdx.json", "provenance.intoto.json", "release-notes.md"),
        *("install.sh", "install.ps1"),
    }
    world.run(release, begin="build", until="describe")
    assert Path(release.document("SHA256SUMS")).read_text() == sums


def test_the_notes_are_the_section_of_the_changelog_or_the_fragments(tmp_path: Path) -> None:
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("# C\n\n## [1.2.0] - 2026\nNew.\n\n## 1.1.0\nOld.\n")
    assert source_tree.notes(str(tmp_path), "1.2.0") == "New.\n"
    assert source_tree.notes(str(tmp_path), "1.1.0") == "Old.\n"
    with pytest.raises(ReleaseFailure, match=r"there are no release notes for 1\.3\.0"):
        source_tree.notes(str(tmp_path), "1.3.0")
    (tmp_path / "changelog.d/1.fixed.md").write_text("It\nworks.\n")
    (tmp_path / "changelog.d/2.added.md").write_text("More.\n")
    (tmp_path / "changelog.d/README.md").write_text("no fragment")
    expected = "### Added\n- More.\n\n### Fixed\n- It works.\n"
    assert source_tree.notes(str(tmp_path), "1.3.0") == expected


def test_preparing_a_version_moves_the_fragments_into_the_changelog(world: World) -> None:
    tree = world.sources("1.0.0")
    (tree / "CHANGELOG.md").write_text("# Changelog\n\nAll.\n\n## [1.0.0] - 2026-01-01\nFirst.\n")
    changed = source_tree.prepare(str(tree), "1.1.0", "2026-02-01")
    assert (tree / "CHANGELOG.md").read_text() == (
        "# Changelog\n\nAll.\n\n## [1.1.0] - 2026-02-01\n### Added\n- What is new in 1.0.0.\n"
        "\n## [1.0.0] - 2026-01-01\nFirst.\n"
    )
    assert source_tree.version(str(tree)) == "1.1.0"
    assert not (tree / "changelog.d/7.added.md").exists()
    assert len(changed) == 3
    with pytest.raises(ReleaseFailure, match="has no fragments"):
        source_tree.prepare(str(tree), "1.2.0", "2026-03-01")


@pytest.mark.parametrize(
    ("version", "older"),
    [("1.2.3", "1.2.2"), ("0.1.0", "0.0.99"), ("2.0.0", "1.99.99"), ("1.0.0-rc.1", "1.0.0-0")],
)
def test_older_returns_an_earlier_version(version: str, older: str) -> None:
    assert source_tree.older(version) == older


def test_the_windows_script_has_the_checksum_of_the_windows_program(world: World) -> None:
    text = script(
        "install.ps1",
        configuration=world.configuration(),
        version="1.0.0",
        digests={"windows/amd64/awstoe.exe": "d" * 64},
        fingerprints=[],
    )
    assert f"$Expected = '{'d' * 64}'" in text
    assert "@SHA256" not in text


def test_the_windows_script_is_powershell() -> None:
    """Check the syntax with a parser: there is no PowerShell on Linux."""
    parser = pytest.importorskip("tree_sitter_powershell", reason="no parser for PowerShell")
    tree_sitter = pytest.importorskip("tree_sitter")
    language = tree_sitter.Language(parser.language())
    text = Path(REPOSITORY, "release/install/install.ps1.in").read_bytes()
    root = tree_sitter.Parser(language).parse(text).root_node
    assert not root.has_error, root.sexp()
