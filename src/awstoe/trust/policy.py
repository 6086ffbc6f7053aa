"""What counts: which algorithms and keys a signature may be made with, and what is said of one."""

from enum import StrEnum
from typing import Final, Literal, NamedTuple

HashName = Literal["sha256", "sha384", "sha512"]

ACCEPTED_HASHES: Final[dict[int, HashName]] = {8: "sha256", 9: "sha384", 10: "sha512"}
"""By their numbers in OpenPGP."""

HASH_NAMES: Final = {1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 11: "SHA-224"}
"""Those that are refused, for messages."""

LEAST_RSA_BITS: Final = 3072


class Verdict(StrEnum):
    """What is said of a file and its signature, from best to worst understood."""

    GOOD = "good"
    EXPIRED = "expired"
    """The signature is over, or was made after its key had expired."""
    REVOKED = "revoked"
    UNTRUSTED = "untrusted"
    """No key that is trusted has made it."""
    BAD = "bad"
    """The file is not what was signed, or the signature breaks a rule."""
    UNSIGNED = "unsigned"


class KeyState(StrEnum):
    """Where a release key is in its life."""

    CURRENT = "current"
    """It signs."""
    NEXT = "next"
    """It is published so that programs know it before it signs."""
    RETIRED = "retired"
    """It signs no more; what it has signed counts."""
    REVOKED = "revoked"
    """Nothing that it has signed counts."""


class Finding(NamedTuple):
    """What is said of one signature."""

    verdict: Verdict
    reason: str = ""
    """Why it is not good."""
    fingerprint: str = ""
    """Of the certificate (primary key) that made it, 40 hexadecimal digits."""
    signing_key: str = ""
    """Fingerprint of the key itself, which may be a subkey."""
    signer: str = ""
    """The certificate's user id."""
    created: int | None = None
    """When the signature says it was made, seconds since 1970."""
    warnings: tuple[str, ...] = ()


class Verification(NamedTuple):
    """What is said of a file with a signature file, which may hold several signatures."""

    sha256: str
    """Of the whole file."""
    findings: tuple[Finding, ...]
    """One for each signature, at least one."""

    @property
    def deciding(self) -> Finding:
        """The first that is not good; the first if all are. All have to be."""
        for finding in self.findings:
            if finding.verdict is not Verdict.GOOD:
                return finding
        return self.findings[0]

    @property
    def is_good(self) -> bool:
        """Whether every signature is good."""
        return self.deciding.verdict is Verdict.GOOD
