"""OpenPGP certificates: which of their keys may sign data, who owns them, and when they expire.

The newest self-signature of each part decides, as in gpg. If several parts disagree, the stricter
one wins. A part that cannot be checked (an old version, an unknown digest) makes the certificate
unusable and is not skipped: it may be what revokes the key.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.keys import PublicKey, Unsupported
from awstoe.trust.openpgp.packets import Malformed, Packet
from awstoe.trust.openpgp.signatures import Signature
from awstoe.trust.policy import ACCEPTED_HASHES, HASH_NAMES, Verdict

# Subpackets that a self-signature may mark as critical: those that are obeyed here, or that do not
# concern signing data.
_UNDERSTOOD: Final = frozenset({2, 3, 4, 7, 9, 11, 12, 16, 21, 22, 23, 24, 25, 27, 29, 30, 32, 33})
_PRIMARY_USER_ID: Final = 25
_COMPONENTS: Final = (tags.USER_ID, tags.USER_ATTRIBUTE, tags.PUBLIC_SUBKEY)
_IDENTITY_PREFIX: Final = {tags.USER_ID: b"\xb4", tags.USER_ATTRIBUTE: b"\xd1"}
_REASONS: Final = {1: "it was superseded", 2: "it was compromised", 3: "it was retired"}


class Problem(NamedTuple):
    """Why no signature of a key is valid."""

    verdict: Verdict
    reason: str


class SigningKey(NamedTuple):
    """A key that may have made a signature."""

    key: PublicKey
    certificate: str
    """Fingerprint of the primary key."""
    signer: str
    expires: int | None
    """Seconds since 1970; a signature made earlier stays valid."""
    problem: Problem | None


class _PrimaryStatus(NamedTuple):
    """What the parts of a certificate state about its primary key."""

    signer: str
    expires: int | None
    may_sign: bool
    problem: Problem | None


class Certificate:
    """A primary key with its subkeys, user IDs and signatures.

    Args:
        sequence: Its packets, the primary key first. Repeated parts are merged with the signatures
            of both, so that a copy without a revocation cannot hide one that has it.

    Raises:
        Malformed: The packets are not a certificate.
    """

    def __init__(self, sequence: Sequence[Packet]) -> None:
        self.primary = PublicKey(sequence[0].body)
        self._direct: list[bytes] = []
        self._parts: dict[Packet, list[bytes]] = {}
        """The bodies of the signatures of each user ID and subkey."""
        following = self._direct
        for packet in sequence:
            if packet == sequence[0]:
                following = self._direct
            elif packet.tag == tags.SIGNATURE:
                following.append(packet.body)
            elif packet.tag in _COMPONENTS:
                following = self._parts.setdefault(packet, [])
            else:
                raise Malformed(f"a public key is followed by a packet of type {packet.tag}")

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the primary key."""
        return self.primary.fingerprint

    def signing_keys(self, now: int) -> Iterator[SigningKey]:
        """Return the primary key and all subkeys, each with the reason if it must not sign.

        Args:
            now: Seconds since 1970.
        """
        primary = self.primary
        try:
            status = self._primary_status(now)
        except (Malformed, Unsupported) as error:
            unusable = Problem(Verdict.UNTRUSTED, f"the key {primary.key_id}: {error}")
            status = _PrimaryStatus("", None, may_sign=False, problem=unusable)
        problem = status.problem
        if problem is None and not status.may_sign:
            problem = _may_not_sign(primary)
        yield SigningKey(primary, primary.fingerprint, status.signer, status.expires, problem)
        for packet, bodies in self._parts.items():
            if packet.tag == tags.PUBLIC_SUBKEY:
                yield self._subkey(packet.body, bodies, status, now)

    def _primary_status(self, now: int) -> _PrimaryStatus:
        primary = self.primary
        direct = self._own(self._direct, primary.hashed, {signatures.DIRECT_KEY})
        newest = [_newest(direct, primary, now)] if direct else []
        names: list[tuple[bool, str]] = []
        for (tag, body), bodies in self._parts.items():
            prefix = _IDENTITY_PREFIX.get(tag)
            if prefix is None:
                continue
            signed = primary.hashed + prefix + len(body).to_bytes(4, "big") + body
            found = self._own(bodies, signed, signatures.CERTIFICATIONS)
            revoked = self._own(bodies, signed, {signatures.CERTIFICATION_REVOCATION})
            if not found:
                continue
            last = _newest(found, primary, now)
            if any(each.created >= last.created for each in revoked):
                continue
            newest.append(last)
            direct += found
            if tag == tags.USER_ID:
                is_first = last.one(_PRIMARY_USER_ID) not in (None, b"\0")
                names.append((not is_first, body.decode(errors="backslashreplace")))
        problem = self._revocation(direct) or _weakness(primary)
        if problem is None and not names:
            problem = Problem(Verdict.UNTRUSTED, f"the key {primary.key_id} has no valid user ID")
        if problem is None and primary.created > now:
            problem = _from_the_future(f"the key {primary.key_id}")
        spans = [span for each in newest if (span := each.seconds(signatures.KEY_EXPIRES))]
        flags = [each.lets_sign for each in newest if each.lets_sign is not None]
        return _PrimaryStatus(
            # Among equals, the first in the file.
            signer=min(names, key=lambda name: name[0])[1] if names else "",
            expires=primary.created + min(spans) if spans else None,
            may_sign=bool(flags) and all(flags),
            problem=problem,
        )

    def _revocation(self, own: Iterable[Signature]) -> Problem | None:
        """Return the problem if the owner, or a revoker that the owner named, revoked the key."""
        primary = self.primary
        found = self._own(self._direct, primary.hashed, {signatures.KEY_REVOCATION})
        if found:
            return _revoked(f"the key {primary.key_id}", found[-1])
        others = {
            subpacket.body[2:].hex().upper()
            for each in own
            for subpacket in each.hashed
            if subpacket.kind == signatures.REVOCATION_KEY
        }
        named = {other[-16:] for other in others}
        for body in self._direct if others else ():
            signature = signatures.read(body)
            fingerprints, key_ids = signature.issuers()
            is_theirs = bool(fingerprints & others or key_ids & named)
            if signature.kind == signatures.KEY_REVOCATION and is_theirs:
                # The revoker's key may not be available; but only the owner can name a revoker.
                return _revoked(f"the key {primary.key_id}", signature)
        return None

    def _subkey(
        self, body: bytes, bodies: Sequence[bytes], status: _PrimaryStatus, now: int
    ) -> SigningKey:
        key = PublicKey(body)
        expires = status.expires
        problem = status.problem or _weakness(key)
        if problem is None:
            try:
                own_end, problem = self._binding(key, bodies, now)
                ends = [end for end in (expires, own_end) if end is not None]
                expires = min(ends) if ends else None
            except (Malformed, Unsupported) as error:
                problem = Problem(Verdict.UNTRUSTED, f"the subkey {key.key_id}: {error}")
        return SigningKey(key, self.fingerprint, status.signer, expires, problem)

    def _binding(
        self, key: PublicKey, bodies: Sequence[bytes], now: int
    ) -> tuple[int | None, Problem | None]:
        """Return when a subkey expires, and why it must not sign."""
        signed = self.primary.hashed + key.hashed
        revoked = self._own(bodies, signed, {signatures.SUBKEY_REVOCATION})
        if revoked:
            return None, _revoked(f"the subkey {key.key_id}", revoked[-1])
        found = self._own(bodies, signed, {signatures.SUBKEY_BINDING})
        if not found:
            raise Malformed("its primary key has not signed it")
        last = _newest(found, key, now)
        span = last.seconds(signatures.KEY_EXPIRES)
        expires = key.created + span if span else None
        if not last.lets_sign:
            return expires, _may_not_sign(key)
        if key.created > now:
            return expires, _from_the_future(f"the subkey {key.key_id}")
        if not _signs_back(key, last, signed, now):
            raise Malformed("it has not signed that it belongs to its primary key")
        return expires, None

    def _own(
        self, bodies: Iterable[bytes], signed: bytes, kinds: Collection[int]
    ) -> list[Signature]:
        """Return the signatures of the given types that the primary key has made.

        Raises:
            Unsupported: Whether it made one of them cannot be checked.
            Malformed: A body is not a signature.
        """
        found = []
        for body in bodies:
            issuer = signatures.issuer_of_old(body)
            if issuer and issuer != self.primary.key_id:
                continue
            signature = signatures.read(body)
            if signature.kind not in signatures.REVOCATIONS and not signature.issuers()[1]:
                continue  # gpg recognizes a self-signature only by its key ID
            if (
                signature.kind in kinds
                and signature.is_by(self.primary)
                and signature.holds(self.primary, signed)
            ):
                found.append(signature)
        return found


def _newest(found: Sequence[Signature], key: PublicKey, now: int) -> Signature:
    """Return the newest self-signature; among equals, the last in the file.

    Raises:
        Malformed: It is not valid.
    """
    last = found[0]
    for each in found[1:]:
        if each.created >= last.created:
            last = each
    refuse_critical(last, _UNDERSTOOD)
    if last.hash_algorithm not in ACCEPTED_HASHES:
        name = HASH_NAMES.get(last.hash_algorithm, f"digest {last.hash_algorithm}")
        raise Malformed(f"its self-signature uses {name}")
    if last.created < key.created:
        raise Malformed("its self-signature is older than the key")
    if last.created > now:
        raise Malformed("its self-signature was made in the future; check the clock")
    if last.expires is not None and last.expires <= now:
        raise Malformed("its self-signature has expired")
    return last


def refuse_critical(signature: Signature, understood: Collection[int]) -> None:
    """Reject a signature with a critical subpacket that this program does not support.

    Raises:
        Malformed: There is such a subpacket.
    """
    for each in (*signature.hashed, *signature.unhashed):
        if each.critical and each.kind not in understood:
            raise Malformed(f"a signature has a critical subpacket of type {each.kind}")


def _signs_back(key: PublicKey, binding: Signature, signed: bytes, now: int) -> bool:
    """Whether a subkey has signed that it belongs to the primary key.

    Raises:
        Malformed: That signature is malformed or not valid.
        Unsupported: It cannot be checked.
    """
    for each in (*binding.hashed, *binding.unhashed):
        if each.kind != signatures.EMBEDDED_SIGNATURE:
            continue
        signature = signatures.read(each.body)
        if signature.kind == signatures.PRIMARY_KEY_BINDING and signature.holds(key, signed):
            _newest([signature], key, now)
            return True
    return False


def _weakness(key: PublicKey) -> Problem | None:
    weakness = key.weakness
    return Problem(Verdict.UNTRUSTED, f"{key.key_id}: {weakness}") if weakness else None


def _may_not_sign(key: PublicKey) -> Problem:
    return Problem(Verdict.UNTRUSTED, f"the key {key.key_id} is not for signing data")


def _from_the_future(what: str) -> Problem:
    return Problem(Verdict.UNTRUSTED, f"{what} was made in the future; check the clock")


def _revoked(what: str, signature: Signature) -> Problem:
    body = signature.one(signatures.REVOCATION_REASON) or b""
    reason = _REASONS.get(body[0]) if body else None
    return Problem(Verdict.REVOKED, f"{what} is revoked" + (f": {reason}" if reason else ""))
