"""Where a version's programs come from: an in-toto statement with a SLSA provenance predicate.

https://in-toto.io/Statement/v1, https://slsa.dev/provenance/v1. The fields are few and fixed, so
they are written here.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Final

from awstoe_release.release import Release

_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://slsa.dev/provenance/v1"


def statement(release: Release, digests: Mapping[str, str], lock: str) -> str:
    """The statement as JSON text.

    Args:
        release: What is released.
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
                # What the parameters mean and how to make the same bytes: docs/building.md.
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
                # The commit's time: the bytes do not depend on when they were made.
                "metadata": {
                    "invocationId": f"{release.version}-{release.commit}",
                    "startedOn": made,
                },
            },
        },
    }
    return json.dumps(data, indent=1) + "\n"
