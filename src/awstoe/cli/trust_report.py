"""``awstoe version --trust``: reports the built-in release keys."""

import json
import time
from collections.abc import Mapping
from typing import Final

from awstoe.trust import signed_files
from awstoe.trust.authenticode import chain as authenticode_chain
from awstoe.trust.release_trust import ReleaseTrust

_PAIR: Final = 2


def facts(trust: ReleaseTrust | None) -> dict[str, object]:
    """Return the facts by their names in ``--json``.

    Raises:
        TrustError: The keys cannot be read.
    """
    if trust is None:
        return {"build": "development", "note": "no release keys: it cannot update itself"}
    now = int(time.time())
    keys = []
    for certificate in trust.keyring().certificates:
        primary = certificate.signing_keys(now)[0]
        state = trust.openpgp[certificate.fingerprint].value
        keys.append(
            {"fingerprint": certificate.fingerprint, "state": state, "signer": primary.signer}
        )
    root = json.loads(trust.root)["signed"]
    return {
        "build": "rehearsal" if trust.is_rehearsal else "release",
        "product": trust.product,
        "url": trust.url,
        "openpgp": keys,
        "authenticode": [
            {"thumbprint": in_pairs(thumbprint), "state": state.value}
            for thumbprint, state in trust.authenticode.items()
        ],
        "authenticodeRoots": _certificates(trust.authenticode_roots),
        "timestampRoots": _certificates(trust.stamp_roots),
        "root": {"version": root["version"], "expires": root["expires"]},
    }


def _certificates(pem: bytes) -> list[dict[str, str]]:
    return [
        {
            "name": authenticode_chain.name_of(each),
            "sha256": authenticode_chain.sha256_of(each),
            "expires": f"{each.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        }
        for each in signed_files.certificates(pem)
    ]


def as_text(found: Mapping[str, object]) -> str:
    """Format the facts as text, one per line."""
    lines = []
    for name, value in found.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{name:19}{_value_text(each)}" for each in values]
    return "".join(f"{line}\n" for line in lines)


def in_pairs(thumbprint: str) -> str:
    """Format a thumbprint as Windows shows it: ``1F 2E ...``."""
    return " ".join(thumbprint[at : at + _PAIR] for at in range(0, len(thumbprint), _PAIR))


def _value_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)
