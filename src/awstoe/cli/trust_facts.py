"""``awstoe version --trust``: the release keys that are built in."""

import json
import time
from collections.abc import Mapping
from typing import Final

from awstoe.trust.release_trust import ReleaseTrust

_PAIR: Final = 2


def facts(trust: ReleaseTrust | None) -> dict[str, object]:
    """What there is to say, by the names of ``--json``.

    Raises:
        TrustError: The keys cannot be read.
    """
    if trust is None:
        return {"build": "development", "note": "it trusts no key and cannot update itself"}
    now = int(time.time())
    keys = []
    for certificate in trust.keyring().certificates:
        primary = next(certificate.signing_keys(now))
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
        "authenticode": [in_pairs(each) for each in trust.thumbprints],
        "root": {"version": root["version"], "expires": root["expires"]},
    }


def as_text(found: Mapping[str, object]) -> str:
    """The facts for a person, a line each."""
    lines = []
    for name, value in found.items():
        if isinstance(value, list):
            lines += [f"{name:14}{_words(each)}" for each in value]
        else:
            lines.append(f"{name:14}{_words(value)}")
    return "".join(f"{line}\n" for line in lines)


def in_pairs(thumbprint: str) -> str:
    """A thumbprint as Windows shows it: ``1F 2E ...``."""
    return " ".join(thumbprint[at : at + _PAIR] for at in range(0, len(thumbprint), _PAIR))


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)
