"""What a release publishes: every object with its key, file, headers and place in the order.

The plan depends only on the configuration and the tree folder, so ``awstoe-release plan`` shows
exactly what is published. The order makes publishing safe: nothing is published before the objects
that it refers to.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from awstoe.update import layout
from awstoe_release import tables
from awstoe_release.configuration import Channel, Configuration
from awstoe_release.failure import ReleaseFailure

SIGNATURE: Final = layout.SIGNATURE
CHECKSUMS: Final = "SHA256SUMS"
SBOM: Final = "sbom.cdx.json"
PROVENANCE: Final = "provenance.intoto.json"
NOTES: Final = "release-notes.md"
INSTALLERS: Final = ("install.sh", "install.ps1")
DOCUMENTS: Final = (CHECKSUMS, SBOM, PROVENANCE, NOTES, *INSTALLERS)
"""The files of a version besides its programs."""
KEYRING: Final = "assets/awstoe.gpg"
METADATA: Final = layout.METADATA.rstrip("/")
TIMESTAMP: Final = "timestamp.json"
_TARGETS: Final = ".targets.json"
_NUMBERED: Final = re.compile(r"(\d+)\.(root|targets|snapshot)\.json")
_TEXT: Final = "text/plain; charset=utf-8"
_CONTENT_TYPES: Final = (
    (SIGNATURE, "application/pgp-signature"),
    (".gpg", "application/pgp-keys"),
    (SBOM, "application/vnd.cyclonedx+json"),
    (PROVENANCE, "application/vnd.in-toto+json"),
    (".json", "application/json"),
    (".md", "text/markdown; charset=utf-8"),
    (".sh", "text/x-shellscript; charset=utf-8"),
    (".ps1", _TEXT),
    (CHECKSUMS, _TEXT),
)


class Phase(StrEnum):
    """The order of publishing. A region starts a phase when it has completed the one before."""

    VERSIONED = "versioned"
    METADATA = "metadata"
    POINTERS = "pointers"
    TIMESTAMP = "timestamp"


class Item(NamedTuple):
    """One object of a release. It is the same in all regions."""

    key: str
    path: str
    """The path of the local file, which may not exist yet."""
    phase: Phase
    immutable: bool
    """Whether it is written once and never changed."""
    content_type: str
    cache_control: str
    source: str = ""
    """The key of the versioned object that it is a copy of, if it is one."""


def program_key(version: str, target: str) -> str:
    """Return the key of a target's program, where installed programs look for it."""
    return layout.program_path(version, *target.split("/"))


def items(
    configuration: Configuration,
    *,
    version: str,
    channel: Channel,
    tree: str,
    targets: Sequence[str] = (),
) -> tuple[Item, ...]:
    """Return every object of a release in the order of publishing.

    Args:
        configuration: The configuration.
        version: The version to release.
        channel: The channel to promote it to.
        tree: The folder that has the files under their keys.
        targets: Some of the targets; all if empty.

    Raises:
        ReleaseFailure: The list of targets in the tree cannot be read.
    """
    programs = [program_key(version, target) for target in targets or configuration.product.targets]
    documents = [f"{version}/{name}" for name in DOCUMENTS]
    versioned = [each for key in (*programs, *documents) for each in (key, key + SIGNATURE)]
    make = _Maker(configuration, tree)
    found = [make.item(key, Phase.VERSIONED) for key in (*versioned, f"{version}/{KEYRING}")]
    if channel.updates:
        numbered = _numbered(tree)
        copies = _named_by_hash(tree, numbered, versioned)
        found += [make.item(key, Phase.METADATA, source) for key, source in copies.items()]
        found += [make.item(key, Phase.METADATA) for key in numbered]
    pointer = {
        **{f"{channel.pointers}/{key.removeprefix(version + '/')}": key for key in versioned},
        f"{channel.pointers}/{KEYRING}": f"{version}/{KEYRING}",
    }
    if channel.updates:
        pointer[KEYRING] = f"{version}/{KEYRING}"
    found += [make.item(key, Phase.POINTERS, source) for key, source in pointer.items()]
    if channel.updates:
        found.append(make.item(f"{METADATA}/{TIMESTAMP}", Phase.TIMESTAMP))
    return tuple(found)


class _Maker:
    """Makes objects from their keys and phases."""

    def __init__(self, configuration: Configuration, tree: str) -> None:
        self._publish = configuration.publish
        self._tree = tree

    def item(self, key: str, phase: Phase, source: str = "") -> Item:
        """Return the object with this key."""
        immutable = phase in {Phase.VERSIONED, Phase.METADATA}
        return Item(
            key=key,
            path=os.path.join(self._tree, *(source or key).split("/")),
            phase=phase,
            immutable=immutable,
            content_type=content_type(key),
            cache_control=(
                self._publish.immutable_cache if immutable else self._publish.pointer_cache
            ),
            source=source,
        )


def _numbered(tree: str) -> list[str]:
    """Return the keys of the numbered metadata files in the tree, oldest first."""
    folder = os.path.join(tree, METADATA)
    if not os.path.isdir(folder):
        return []
    names = [match for name in os.listdir(folder) if (match := _NUMBERED.fullmatch(name))]
    names.sort(key=lambda match: (("root", "targets", "snapshot").index(match[2]), int(match[1])))
    return [f"{METADATA}/{match[0]}" for match in names]


def _named_by_hash(tree: str, numbered: Sequence[str], versioned: Sequence[str]) -> dict[str, str]:
    """Return the keys of this version's programs and signatures by which other TUF clients ask.

    The root says ``consistent_snapshot``, so they look for ``HASH.awstoe`` in the program's folder.

    Returns:
        The keys that they are copies of, by their keys.

    Raises:
        ReleaseFailure: The newest list of targets cannot be read.
    """
    lists = [key for key in numbered if key.endswith(_TARGETS)]
    if not lists:
        return {}
    path = os.path.join(tree, *lists[-1].split("/"))
    try:
        with open(path, "rb") as stream:
            listed = json.load(stream)["signed"]["targets"]
        return {
            layout.path_with_hash(key, listed[key]["hashes"]["sha256"]): key
            for key in versioned
            if key in listed
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseFailure(
            f"{path} is not a list of targets: {error!r}",
            hint="make it again: awstoe-release run --from metadata",
        ) from error


def content_type(key: str) -> str:
    """Return the media type of an object, by its name."""
    return next(
        (kind for ending, kind in _CONTENT_TYPES if key.endswith(ending)),
        "application/octet-stream",
    )


def described(
    configuration: Configuration, objects: Sequence[Item], version: str
) -> dict[str, Any]:
    """Return the plan as data for JSON: all objects, and all regions with their addresses."""
    return {
        "product": configuration.product.name,
        "version": version,
        "objects": [
            {
                "key": item.key,
                "phase": item.phase.value,
                "size": os.path.getsize(item.path) if os.path.isfile(item.path) else None,
                "immutable": item.immutable,
                "contentType": item.content_type,
                "cacheControl": item.cache_control,
                "copyOf": item.source or None,
            }
            for item in objects
        ],
        "regions": [
            {
                "name": region.name,
                "partition": region.partition,
                "bucket": region.bucket,
                "account": region.account or None,
                "wave": next(
                    (
                        wave.name
                        for wave in configuration.waves
                        if region in configuration.wave_regions(wave)
                    ),
                    None,
                ),
                "url": region.url,
            }
            for region in configuration.regions
        ],
        "settings": {
            name: getattr(configuration, name)._asdict()
            for name in ("product", "publish", "expiry", "signing")
        },
    }


def as_text(data: Mapping[str, Any]) -> str:
    """Return the plan as text for people, from the result of ``described``."""
    objects = tables.text(
        ["phase", "size", "key", "content type", "cache", "copy of"],
        [
            [
                each["phase"],
                tables.size(each["size"]),
                each["key"],
                each["contentType"],
                each["cacheControl"],
                each["copyOf"] or "",
            ]
            for each in data["objects"]
        ],
    )
    regions = tables.text(
        ["region", "wave", "bucket", "account", "address"],
        [
            [each["name"], each["wave"] or "-", each["bucket"], each["account"] or "-", each["url"]]
            for each in data["regions"]
        ],
    )
    settings = "".join(
        f"{section}.{name} = {value}\n"
        for section, values in data["settings"].items()
        for name, value in values.items()
    )
    counted = f"{len(data['objects'])} objects in each of {len(data['regions'])} regions"
    return f"{objects}\n{regions}\n{settings}\n{data['product']} {data['version']}: {counted}\n"
