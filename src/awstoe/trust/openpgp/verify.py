"""Detached OpenPGP signatures: whether a file is what a trusted key has signed.

Every signature of a signature file has to be good. gpg ends with an error when one of several is
bad or unknown, and whoever accepts what gpg rejects helps the one who attacks.
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
    """A binary file as ``open`` gives it."""

    def readinto(self, buffer: bytearray, /) -> int:
        """Fill ``buffer`` from the front; gives how many bytes, 0 at the end."""


_WHAT: Final = "the signature file"
_ISSUERS: Final = frozenset({signatures.ISSUER, signatures.ISSUER_FINGERPRINT})
_UNDERSTOOD: Final = frozenset({signatures.CREATED, signatures.SIGNATURE_EXPIRES}) | _ISSUERS


# They say something about a certification; gpg refuses some of them that are of an odd length.
_OUT_OF_PLACE: Final = frozenset({4, 5, 7, 38})


def verify(stream: Readable, signature: bytes, keyring: Keyring, *, now: int) -> Verification:
    """Check a file against its signature file.

    Args:
        stream: The file, read from where it stands to its end.
        signature: The bytes of the signature file, armored or binary; of a larger one than the
            limit not all need be read.
        keyring: The keys that count.
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
    """What is said of a file that has no signature.

    Raises:
        OSError: The file cannot be read.
    """
    digest = _digests(stream, ["sha256"])["sha256"]
    return Verification(digest.hexdigest(), (Finding(Verdict.UNSIGNED, reason),))


def _read(data: bytes) -> list[Signature]:
    """The signatures of a file, of which none breaks a rule that needs no key to see.

    Raises:
        Malformed: One does, or this is no signature file.
        Unsupported: One is of another version.
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
        raise Malformed(f"the signature uses {name}: SHA-256, SHA-384 and SHA-512 count")
    refuse_critical(signature, _UNDERSTOOD)
    for each in signature.unhashed:
        if each.kind not in _ISSUERS or each.critical:
            raise Malformed(f"the signature has an unprotected subpacket of type {each.kind}")
    for each in signature.hashed:
        if each.kind in _OUT_OF_PLACE:
            raise Malformed(f"the signature has a subpacket of type {each.kind}, not for files")
    signature.check_notations()
    signature.issuers()
    _ = signature.created, signature.expires  # raise when they are wrong


def _judge(signature: Signature, digest: bytes, keyring: Keyring, now: int) -> Finding:
    try:
        makers = keyring.candidate_keys(signature, now)
    except Malformed as error:
        return Finding(Verdict.BAD, str(error), created=signature.created)
    if not makers:
        return Finding(
            Verdict.UNTRUSTED, f"no trusted key made it: {_maker(signature)}",
            created=signature.created,
        )  # fmt: skip
    findings = [_judge_by(signature, digest, maker, now) for maker in makers]
    # Key ids are short: of two keys with the same one, that which made it speaks.
    return next((each for each in findings if each.verdict is Verdict.GOOD), findings[0])


def _maker(signature: Signature) -> str:
    fingerprints, key_ids = signature.issuers()
    return f"it names {', '.join(sorted(fingerprints or key_ids))}"


def _judge_by(signature: Signature, digest: bytes, maker: SigningKey, now: int) -> Finding:
    finding = Finding(
        Verdict.BAD,
        fingerprint=maker.certificate,
        signing_key=maker.key.fingerprint,
        signer=maker.signer,
        created=signature.created,
    )
    if not maker.key.weakness:
        try:
            holds = signature.verifies(maker.key, digest)
        except Unsupported as error:
            return finding._replace(reason=str(error))
        if not holds:
            return finding._replace(
                reason="the file is not what was signed, or the signature was changed"
            )
    if maker.problem is not None:
        return finding._replace(verdict=maker.problem.verdict, reason=maker.problem.reason)
    return _judge_times(signature, maker, finding, now)


def _judge_times(signature: Signature, maker: SigningKey, finding: Finding, now: int) -> Finding:
    if signature.created > now:
        return finding._replace(reason="it was made in the future; is the clock right?")
    if signature.created < maker.key.created:
        return finding._replace(reason="it is older than the key that made it")
    if signature.expires is not None and signature.expires <= now:
        return finding._replace(verdict=Verdict.EXPIRED, reason="the signature has expired")
    warnings: tuple[str, ...] = ()
    if maker.expires is not None and maker.expires <= now:
        if signature.created >= maker.expires:
            return finding._replace(
                verdict=Verdict.EXPIRED, reason="it was made after its key had expired"
            )
        warnings = ("the key has expired since; the signature was made before that",)
    return finding._replace(verdict=Verdict.GOOD, warnings=warnings)


def _digests(stream: Readable, names: Collection[HashName]) -> "dict[HashName, hashlib._Hash]":
    """The digests of what is left of a stream, in one pass."""
    digests = {name: hashlib.new(name) for name in names}
    buffer = bytearray(limits.READ_CHUNK_BYTES)
    view = memoryview(buffer)
    while count := stream.readinto(buffer):
        for digest in digests.values():
            digest.update(view[:count])
    return digests
