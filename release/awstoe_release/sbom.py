"""Writes the bill of materials: what is inside the programs, as CycloneDX 1.6 JSON.

It is taken from the build info inside the programs; the lock file adds the hashes of the files
that may have been downloaded. A program without build info is described by the lock file alone,
and marked as such. The document is small and its format fixed, so it is written here without a
library (https://cyclonedx.org/docs/1.6/json/).
"""

import datetime as dt
import json
import re
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from awstoe_release.release import Release

_ENTRY: Final = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ;[^\\\n]*?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$",
    re.MULTILINE,
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# License names that are neither SPDX IDs nor SPDX expressions go into another field.
_SPDX_IDS: Final = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0"),
    *("PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "LGPL-2.1-or-later", "LGPL-3.0-or-later"),
}


_SPDX_WORD: Final = re.compile(r"[A-Za-z0-9.+-]+")
_SPDX_OPERATORS: Final = {"AND", "OR"}


def document(release: Release, inside: Mapping[str, Mapping[str, Any]], lock: str) -> str:
    """Return the bill of materials as JSON text.

    Args:
        release: The release.
        inside: The build info of each target's program.
        lock: The text of requirements.lock.
    """
    product = release.configuration.product
    pinned = {name: (version, hashes) for name, version, hashes in _locked(lock)}
    components: dict[str, dict[str, Any]] = {}
    for target, facts in inside.items():
        for found in _components(facts, pinned):
            component = components.setdefault(found["bom-ref"], found)
            component.setdefault("properties", []).append(
                {"name": f"{product.name}:target", "value": target}
            )
    without = [target for target, facts in inside.items() if not facts.get("packages")]
    reference = f"pkg:generic/{product.name}@{release.version}"
    made = dt.datetime.fromtimestamp(release.epoch, dt.UTC)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{reference}?commit={release.commit}")
    data = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": made.isoformat(),
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": product.name,
                "version": release.version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": reference,
            },
            "properties": [
                {"name": f"{product.name}:commit", "value": release.commit},
                *(
                    {"name": f"{product.name}:from-lock-only", "value": target}
                    for target in without
                ),
            ],
        },
        "components": [components[name] for name in sorted(components)],
        "dependencies": [{"ref": reference, "dependsOn": sorted(components)}],
    }
    return json.dumps(data, indent=1) + "\n"


def _locked(lock: str) -> Iterator[tuple[str, str, list[str]]]:
    """Return the lock file's entries: name, version, hashes of the files to download."""
    for match in _ENTRY.finditer(lock):
        yield match[1], match[2], _HASH.findall(match[3])


def _components(
    facts: Mapping[str, Any], pinned: Mapping[str, tuple[str, list[str]]]
) -> Iterator[dict[str, Any]]:
    """Return the components of one program: packages of the index, and other sources."""
    packages = facts.get("packages")
    if not packages:
        for name, (version, hashes) in pinned.items():
            yield _package(name, version, None, hashes)
        return
    for each in packages:
        key = re.sub(r"[-_.]+", "-", each["name"]).lower()
        version, hashes = pinned.get(key, ("", []))
        if not version:
            yield _component("generic", each["name"], each["version"], each["license"])
        else:
            same = hashes if version == each["version"] else []
            yield _package(key, each["version"], each["license"], same)


def _package(name: str, version: str, license: str | None, hashes: list[str]) -> dict[str, Any]:
    """Return a package of the index, with the hashes of the files it may have come from."""
    found = _component("pypi", name, version, license)
    if hashes:
        found["externalReferences"] = [
            {
                "type": "distribution",
                "url": found["purl"],
                "hashes": [{"alg": "SHA-256", "content": each}],
            }
            for each in hashes
        ]
    return found


def _component(kind: str, name: str, version: str, license: str | None) -> dict[str, Any]:
    quoted = [urllib.parse.quote(each, safe="") for each in (name, version)]
    reference = f"pkg:{kind}/{quoted[0]}@{quoted[1]}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }
    if license in _SPDX_IDS:
        found["licenses"] = [{"license": {"id": license}}]
    elif license and {*_SPDX_WORD.findall(license)} - _SPDX_OPERATORS <= _SPDX_IDS:
        found["licenses"] = [{"expression": license}]
    elif license:
        found["licenses"] = [{"license": {"name": license}}]
    return found
