"""describe: write SHA256SUMS, bill of materials, provenance, release notes, install scripts.

All of them depend only on the sources and the programs: made again, they are identical.
"""

import os
from collections.abc import Mapping

from awstoe_release import build_info, installers, keys, provenance, sbom, source_tree, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import CHECKSUMS, INSTALLERS, NOTES, PROVENANCE, SBOM, program_key
from awstoe_release.release import Release, StepResult


def run(release: Release) -> StepResult:
    """Write the files into the tree.

    Raises:
        ReleaseFailure: A program is missing, or a file cannot be written.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would write checksums, bill of materials, provenance, install scripts")
    programs = {
        program_key(release.version, target).partition("/")[2]: release.program(target)
        for target in release.targets
    }
    digests = {name: state.sha256_of(path) for name, path in programs.items()}
    inside = {target: _build_info(release.program(target)) for target in release.targets}
    lock = os.path.join(release.sources, "requirements.lock")
    texts = {
        SBOM: sbom.document(release, inside, _text(lock)),
        PROVENANCE: provenance.statement(release, digests, state.sha256_of(lock)),
        NOTES: source_tree.notes(release.sources, release.version),
        **{
            name: installers.script(
                name,
                configuration=release.configuration,
                version=release.version,
                digests=digests,
                fingerprints=sorted(keys.trust(release).openpgp),
            )
            for name in INSTALLERS
        },
    }
    for name, text in texts.items():
        state.write(release.document(name), text.encode())
        digests[name] = state.sha256_of(release.document(name))
    lines = [f"{digest}  {name}\n" for name, digest in sorted(digests.items())]
    state.write(release.document(CHECKSUMS), "".join(lines).encode())
    release.log(f"  {len(digests)} files in {CHECKSUMS}")
    return StepResult({"sha256": digests}, [release.document(name) for name in (*texts, CHECKSUMS)])


def _build_info(path: str) -> Mapping[str, object]:
    try:
        with open(path, "rb") as stream:
            return build_info.of_any(stream.read(), path)
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}",
            hint="run the steps before this one: awstoe-release run --from build",
        ) from error


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be read: {error.strerror}") from error
