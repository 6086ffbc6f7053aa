"""announce: write the announcement: what is new, where it is, how to verify it."""

import os

from awstoe_release import keys, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import NOTES
from awstoe_release.release import Release, StepResult
from awstoe_signing.keys.directory import Purpose


def run(release: Release) -> StepResult:
    """Write the announcement.

    Raises:
        ReleaseFailure: The release notes cannot be read.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would write the announcement")
    path = os.path.join(release.folder, "announcement.md")
    state.write(path, _text(release).encode())
    release.log(f"  {path}")
    return StepResult({"file": path}, [path])


def _text(release: Release) -> str:
    product = release.configuration.product
    try:
        with open(release.document(NOTES), encoding="utf-8") as stream:
            notes = stream.read()
    except OSError as error:
        raise ReleaseFailure(
            f"{release.document(NOTES)} cannot be read: {error.strerror}",
            hint="run the step describe again: awstoe-release run --from describe",
        ) from error
    address = release.configuration.client_url
    pointers = release.channel.pointers
    programs = [
        f"- {target}: `{address}{os.path.relpath(release.program(target), release.tree)}`"
        for target in release.targets
    ]
    current = keys.directory(release).only(Purpose.OPENPGP).fingerprint
    return "\n".join(
        [
            f"# {product.title} {release.version}",
            "",
            notes.strip(),
            "",
            "## Download",
            *programs,
            "",
            f"The same files are below `{address}{pointers}/`. Each file's signature has the same"
            " name with `.sig` at the end. `{region}` is one of"
            f" {', '.join(each.name for each in release.configuration.regions)}; `{{suffix}}` is"
            " the domain of the region's partition (`amazonaws.com`).",
            "",
            f"The files are signed with the key {current}. To update an installed program, run"
            f" `{product.name} self-update`.",
            "",
        ]
    )
