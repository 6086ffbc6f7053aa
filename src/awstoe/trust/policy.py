"""The signature policy: accepted algorithms and keys, and the verdicts on signatures."""

from enum import StrEnum
from typing import Final, Literal, NamedTuple

HashName = Literal["sha256", "sha384", "sha512"]

ACCEPTED_HASHES: Final[dict[int, HashName]] = {8: "sha256", 9: "sha384", 10: "sha512"}
"""By their OpenPGP numbers."""

HASH_NAMES: Final = {1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 11: "SHA-224"}
"""Names of hashes that are not accepted, for messages."""

LEAST_RSA_BITS: Final = 3072


class Verdict(StrEnum):
    """The verdict on a file and its signature."""

    GOOD = "good"
    EXPIRED = "expired"
    """The signature has expired, or was made after its key had expired."""
    REVOKED = "revoked"
    UNTRUSTED = "untrusted"
    """It was not made with a trusted key."""
    BAD = "bad"
    """The file is not what was signed, or the signature violates a rule."""
    UNSIGNED = "unsigned"


class KeyState(StrEnum):
    """The stage of a release key in its life cycle."""

    CURRENT = "current"
    """It signs releases."""
    NEXT = "next"
    """It is published before it signs, so that programs know it."""
    RETIRED = "retired"
    """It does not sign any more; its signatures remain valid."""
    REVOKED = "revoked"
    """None of its signatures is valid."""


class Finding(NamedTuple):
    """The verdict on one signature, and the details."""

    verdict: Verdict
    reason: str = ""
    """Why it is not good."""
    fingerprint: str = ""
    """Fingerprint of the certificate (primary key), 40 hexadecimal digits."""
    signing_key: str = ""
    """Fingerprint of the signing key itself, which may be a subkey."""
    signer: str = ""
    """The certificate's user ID."""
    created: int | None = None
    """Creation time that the signature states, in seconds since 1970."""
    warnings: tuple[str, ...] = ()


class Verification(NamedTuple):
    """The result for a file and its signature file, which may contain several signatures."""

    sha256: str
    """Hash of the whole file."""
    findings: tuple[Finding, ...]
    """One for each signature; never empty."""

    @property
    def deciding(self) -> Finding:
        """The first finding that is not good, or the first one: all signatures must be good."""
        for finding in self.findings:
            if finding.verdict is not Verdict.GOOD:
                return finding
        return self.findings[0]

    @property
    def is_good(self) -> bool:
        """Whether every signature is good."""
        return self.deciding.verdict is Verdict.GOOD
