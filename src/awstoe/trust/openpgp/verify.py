"""Verifies detached OpenPGP signatures: whether a trusted key has signed a file.

Every signature in a signature file must be good. gpg fails if one of several is bad or unknown, and
a verifier that accepts what gpg rejects helps an attacker.
"""

import hashlib
from collections.abc import Collection
from typing import Final, Protocol

from awstoe import limits
from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.certificates import SigningKey, refuse_critical
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.openpgp.keys import Unsupported
from awstoe.trust.openpgp.packets import Malformed, dearmored, packets
from awstoe.trust.openpgp.signatures import Signature
from awstoe.trust.policy import (
    ACCEPTED_HASHES,
    HASH_NAMES,
    Finding,
    HashName,
    Verdict,
    Verification,
)


class Readable(Protocol):
    """A binary file as ``open`` returns it."""

    def readinto(self, buffer: bytearray, /) -> int:
        """Fill ``buffer`` from its start, and return the number of bytes; 0 at the end."""


_WHAT: Final = "the signature file"
_ISSUERS: Final = frozenset({signatures.ISSUER, signatures.ISSUER_FINGERPRINT})
_UNDERSTOOD: Final = frozenset({signatures.CREATED, signatures.SIGNATURE_EXPIRES}) | _ISSUERS
# They belong to certifications; gpg rejects some of them if their length is wrong.
_OUT_OF_PLACE: Final = frozenset({4, 5, 7, 38})


def verify(stream: Readable, signature: bytes, keyring: Keyring, *, now: int) -> Verification:
    """Check a file against its signature file.

    Args:
        stream: The file; it is read from its current position to its end.
        signature: The bytes of the signature file, armored or binary; of a large file, one byte
            more than the limit is enough.
        keyring: The trusted keys.
        now: Seconds since 1970.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        found = _read(signature)
    except (Malformed, Unsupported) as error:
        digests = _digests(stream, ["sha256"])
        return Verification(digests["sha256"].hexdigest(), (Finding(Verdict.BAD, str(error)),))
    digests = _digests(stream, {"sha256", *(ACCEPTED_HASHES[e.hash_algorithm] for e in found)})
    findings = []
    for each in found:
        digest = digests[ACCEPTED_HASHES[each.hash_algorithm]].copy()
        digest.update(each.trailer)
        findings.append(_judge(each, digest.digest(), keyring, now))
    return Verification(digests["sha256"].hexdigest(), tuple(findings))


def unsigned(stream: Readable, reason: str) -> Verification:
    """Return the result for a file that has no signature.

    Raises:
        OSError: The file cannot be read.
    """
    digest = _digests(stream, ["sha256"])["sha256"]
    return Verification(digest.hexdigest(), (Finding(Verdict.UNSIGNED, reason),))


def _read(data: bytes) -> list[Signature]:
    """Read the signatures of a file, and apply the rules that can be checked without a key.

    Raises:
        Malformed: A signature violates one, or this is not a signature file.
        Unsupported: A signature has another version.
    """
    if len(data) > limits.SIGNATURE_BYTES:
        raise Malformed(f"{_WHAT} has more than {limits.SIGNATURE_BYTES} bytes")
    found = []
    for packet in packets(dearmored(data, "SIGNATURE", _WHAT), _WHAT):
        if packet.tag != tags.SIGNATURE:
            raise Malformed(f"{_WHAT} has a packet of type {packet.tag}: expected signatures only")
        signature = signatures.read(packet.body)
        _check_form(signature)
        found.append(signature)
    if not 1 <= len(found) <= limits.SIGNATURES:
        raise Malformed(f"{_WHAT} has {len(found)} signatures: expected 1 to {limits.SIGNATURES}")
    return found


def _check_form(signature: Signature) -> None:
    if signature.kind != signatures.BINARY:
        raise Malformed(f"the signature has type 0x{signature.kind:02x}: expected 0x00, of a file")
    if signature.hash_algorithm not in ACCEPTED_HASHES:
        name = HASH_NAMES.get(signature.hash_algorithm, f"digest {signature.hash_algorithm}")
        raise Malformed(f"the signature uses {name}: expected SHA-256, SHA-384 or SHA-512")
    refuse_critical(signature, _UNDERSTOOD)
    for each in signature.unhashed:
        if each.kind not in _ISSUERS or each.critical:
            raise Malformed(f"the signature has an unprotected subpacket of type {each.kind}")
    for each in signature.hashed:
        if each.kind in _OUT_OF_PLACE:
            raise Malformed(
                f"the signature has a subpacket of type {each.kind}, which is not for files"
            )
    signature.check_lengths()
    signature.issuers()
    _ = signature.created, signature.expires  # these raise if they are not valid


def _judge(signature: Signature, digest: bytes, keyring: Keyring, now: int) -> Finding:
    try:
        keys = keyring.candidate_keys(signature, now)
    except Malformed as error:
        return Finding(Verdict.BAD, str(error), created=signature.created)
    if not keys:
        fingerprints, key_ids = signature.issuers()
        named = ", ".join(sorted(fingerprints or key_ids))
        reason = f"no trusted key made it: it names {named}"
        return Finding(Verdict.UNTRUSTED, reason, created=signature.created)
    findings = [_judge_by(signature, digest, key, now) for key in keys]
    # A key may be in several certificates, and two keys may have the same key ID. gpg takes the
    # first one that it finds, so all must agree.
    return next((each for each in findings if each.verdict is not Verdict.GOOD), findings[0])


def _judge_by(signature: Signature, digest: bytes, key: SigningKey, now: int) -> Finding:
    finding = Finding(
        Verdict.BAD,
        fingerprint=key.certificate,
        signing_key=key.key.fingerprint,
        signer=key.signer,
        created=signature.created,
    )
    if not key.key.weakness:
        try:
            verified = signature.verifies(key.key, digest)
        except Unsupported as error:
            return finding._replace(reason=str(error))
        if not verified:
            return finding._replace(
                reason="the file is not what was signed, or the signature was changed"
            )
    if key.problem is not None:
        return finding._replace(verdict=key.problem.verdict, reason=key.problem.reason)
    return _judge_times(signature, key, finding, now)


def _judge_times(signature: Signature, key: SigningKey, finding: Finding, now: int) -> Finding:
    if signature.created > now:
        return finding._replace(reason="it was made in the future; check the clock")
    if signature.created < key.key.created:
        return finding._replace(reason="it is older than the key that made it")
    if signature.expires is not None and signature.expires <= now:
        return finding._replace(verdict=Verdict.EXPIRED, reason="the signature has expired")
    warnings: tuple[str, ...] = ()
    if key.expires is not None and key.expires <= now:
        if signature.created >= key.expires:
            return finding._replace(
                verdict=Verdict.EXPIRED, reason="it was made after its key had expired"
            )
        warnings = ("the key has expired; the signature was made before that",)
    return finding._replace(verdict=Verdict.GOOD, warnings=warnings)


def _digests(stream: Readable, names: Collection[HashName]) -> "dict[HashName, hashlib._Hash]":
    """Return the digests of the rest of a stream, in one pass."""
    digests = {name: hashlib.new(name) for name in names}
    buffer = bytearray(limits.READ_CHUNK_BYTES)
    view = memoryview(buffer)
    while count := stream.readinto(buffer):
        for digest in digests.values():
            digest.update(view[:count])
    return digests
