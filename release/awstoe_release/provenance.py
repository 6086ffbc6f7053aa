"""Writes where a version's programs come from: an in-toto statement with SLSA provenance.

https://in-toto.io/Statement/v1, https://slsa.dev/provenance/v1. The document is small and its
format fixed, so it is written here without a library.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Final

from awstoe_release.release import Release

_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://slsa.dev/provenance/v1"


def statement(release: Release, digests: Mapping[str, str], lock: str) -> str:
    """Return the statement as JSON text.

    Args:
        release: The release.
        digests: SHA-256 of the programs, by name.
        lock: SHA-256 of requirements.lock.
    """
    product = release.configuration.product
    source = product.source or f"urn:{product.name}:sources"
    made = dt.datetime.fromtimestamp(release.epoch, dt.UTC).isoformat()
    data = {
        "_type": _STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                # docs/building.md explains the parameters, and how to reproduce the programs.
                "buildType": f"urn:{product.name}:make-build:v1",
                "externalParameters": {
                    "version": release.version,
                    "targets": list(release.targets),
                    "command": "make build-all TRUST=...",
                },
                "internalParameters": {"SOURCE_DATE_EPOCH": release.epoch},
                "resolvedDependencies": [
                    {"uri": f"git+{source}", "digest": {"gitCommit": release.commit}},
                    {"uri": f"{source}#requirements.lock", "digest": {"sha256": lock}},
                ],
            },
            "runDetails": {
                "builder": {"id": f"urn:{product.name}:release"},
                # The commit's time: the build is reproducible at any time.
                "metadata": {
                    "invocationId": f"{release.version}-{release.commit}",
                    "startedOn": made,
                },
            },
        },
    }
    return json.dumps(data, indent=1) + "\n"
