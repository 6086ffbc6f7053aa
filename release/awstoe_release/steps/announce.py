"""announce: what people are told: what is new, where it is, how to check it."""

import os

from awstoe_release import keys, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import NOTES
from awstoe_release.release import Made, Release
from awstoe_signing.keys.directory import Purpose


def run(release: Release) -> Made:
    """Write the announcement.

    Raises:
        ReleaseFailure: The release notes are gone.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would write the announcement")
    path = os.path.join(release.folder, "announcement.md")
    state.write(path, _text(release).encode())
    release.say(f"  {path}")
    return Made({"file": path}, [path])


def _text(release: Release) -> str:
    product = release.configuration.product
    try:
        with open(release.document(NOTES), encoding="utf-8") as stream:
            notes = stream.read()
    except OSError as error:
        raise ReleaseFailure(
            f"{release.document(NOTES)} cannot be read: {error.strerror}",
            hint="run the step describe again",
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
            "## Get it",
            *programs,
            "",
            f"The same below `{address}{pointers}/`; the signature is beside each file, with `.sig`"
            " at its end. `{region}` is one of"
            f" {', '.join(each.name for each in release.configuration.regions)}; `{{suffix}}` is"
            " what the region's addresses end in (`amazonaws.com`).",
            "",
            f"Signed by the key {current}. Installed programs: `{product.name} self-update`.",
            "",
        ]
    )
