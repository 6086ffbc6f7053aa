"""OpenPGP certificates: which of their keys may sign data, who owns them, and when they expire.

The newest self-signature of each part decides, as in gpg. If several parts disagree, the stricter
one wins. A part that cannot be checked (an old version, an unknown digest) makes the certificate
unusable and is not skipped: it may be what revokes the key.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.components import Allowance, Component, Components
from awstoe.trust.openpgp.keys import PublicKey, Unsupported
from awstoe.trust.openpgp.packets import Malformed, Packet
from awstoe.trust.openpgp.signatures import Signature
from awstoe.trust.policy import ACCEPTED_HASHES, HASH_NAMES, Verdict

# Subpackets that a self-signature may mark as critical: those that are obeyed here, or that do not
# concern signing data. gpg does not support a critical 23, keyserver preferences.
_UNDERSTOOD: Final = frozenset({2, 3, 4, 7, 9, 11, 12, 16, 21, 22, 24, 25, 27, 29, 30, 32, 33})
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
        sequence: Its packets, the primary key first; see ``Components``.

    Raises:
        Malformed: The packets are not a certificate.
    """

    def __init__(self, sequence: Sequence[Packet]) -> None:
        self._components = Components(sequence)
        self.primary = self._components.primary

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the primary key."""
        return self.primary.fingerprint

    @property
    def keys(self) -> list[PublicKey]:
        """The primary key and all subkeys, unchecked."""
        return [self.primary, *self._components.subkeys.values()]

    def signing_keys(self, now: int, allowance: Allowance | None = None) -> list[SigningKey]:
        """Return the primary key and all subkeys, each with the reason if it must not sign.

        Args:
            now: Seconds since 1970.
            allowance: What checking it may cost, together with others.
        """
        primary = self.primary
        components: list[Component] = []
        try:
            components = self._components.checked(allowance or Allowance())
            status = self._primary_status(components, now)
        except (Malformed, Unsupported) as error:
            unusable = Problem(Verdict.UNTRUSTED, f"the key {primary.key_id}: {error}")
            status = _PrimaryStatus("", None, may_sign=False, problem=unusable)
        problem = status.problem
        if problem is None and not status.may_sign:
            problem = _may_not_sign(primary)
        found = {each.body: each for each in components if each.tag == tags.PUBLIC_SUBKEY}
        return [
            SigningKey(primary, primary.fingerprint, status.signer, status.expires, problem),
            *(
                self._subkey(key, found.get(body), status, now)
                for body, key in self._components.subkeys.items()
            ),
        ]

    def _primary_status(self, components: Sequence[Component], now: int) -> _PrimaryStatus:
        primary = self.primary
        direct = components[0].of(signatures.DIRECT_KEY)
        own = list(direct)
        newest = _newest(direct, primary, now) if direct else []
        names: list[tuple[bool, str]] = []
        for component in components:
            found = component.of(*signatures.CERTIFICATIONS)
            if not found:
                continue
            own += found
            last = _newest(found, primary, now)
            revoked = component.of(signatures.CERTIFICATION_REVOCATION)
            if any(each.created >= last[0].created for each in revoked):
                continue
            newest += last
            if component.tag == tags.USER_ID:
                is_first = last[0].one(signatures.PRIMARY_USER_ID) not in (None, b"\0")
                names.append((not is_first, component.body.decode(errors="backslashreplace")))
        problem = self._revocation(components[0], own) or _weakness(primary)
        if problem is None and not names:
            problem = Problem(Verdict.UNTRUSTED, f"the key {primary.key_id} has no valid user ID")
        if problem is None and primary.created > now:
            problem = _from_the_future(f"the key {primary.key_id}")
        flags = [each.lets_sign for each in newest if each.lets_sign is not None]
        return _PrimaryStatus(
            # Among equals, the first in the file.
            signer=min(names, key=lambda name: name[0])[1] if names else "",
            expires=_end(primary, newest),
            may_sign=bool(flags) and all(flags),
            problem=problem,
        )

    def _revocation(self, component: Component, own: Iterable[Signature]) -> Problem | None:
        """Return the problem if the owner, or a revoker that the owner named, revoked the key."""
        what = f"the key {self.primary.key_id}"
        found = component.of(signatures.KEY_REVOCATION)
        if found:
            return _revoked(what, found[-1])
        others = {
            subpacket.body[2:].hex().upper()
            for each in own
            for subpacket in each.hashed
            if subpacket.kind == signatures.REVOCATION_KEY
        }
        for signature in self._components.revocations() if others else ():
            if signature.may_be_by_any(others):
                # The revoker's key may not be available; but only the owner can name a revoker.
                return _revoked(what, signature)
        return None

    def _subkey(
        self, key: PublicKey, component: Component | None, status: _PrimaryStatus, now: int
    ) -> SigningKey:
        expires = status.expires
        problem = status.problem or _weakness(key)
        if problem is None and component is not None:
            try:
                own_end, problem = self._binding(key, component, now)
                ends = [end for end in (expires, own_end) if end is not None]
                expires = min(ends) if ends else None
            except (Malformed, Unsupported) as error:
                problem = Problem(Verdict.UNTRUSTED, f"the subkey {key.key_id}: {error}")
        return SigningKey(key, self.fingerprint, status.signer, expires, problem)

    def _binding(
        self, key: PublicKey, component: Component, now: int
    ) -> tuple[int | None, Problem | None]:
        """Return when a subkey expires, and why it must not sign."""
        revoked = component.of(signatures.SUBKEY_REVOCATION)
        if revoked:
            return None, _revoked(f"the subkey {key.key_id}", revoked[-1])
        found = component.of(signatures.SUBKEY_BINDING)
        if not found:
            raise Malformed("its primary key has not signed it")
        newest = _newest(found, key, now)
        expires = _end(key, newest)
        if not all(each.lets_sign for each in newest):
            return expires, _may_not_sign(key)
        if key.created > now:
            return expires, _from_the_future(f"the subkey {key.key_id}")
        if not all(_signs_back(key, each, component.signed, now) for each in newest):
            raise Malformed("it has not signed that it belongs to its primary key")
        return expires, None


def _newest(found: Sequence[Signature], key: PublicKey, now: int) -> list[Signature]:
    """Return the newest self-signatures. Several of the same second must all be valid.

    Raises:
        Malformed: One of them is not valid.
    """
    created = max(each.created for each in found)
    newest = [each for each in found if each.created == created]
    for each in newest:
        _check_self_signature(each, key, now)
    return newest


def _check_self_signature(signature: Signature, key: PublicKey, now: int) -> None:
    refuse_critical(signature, _UNDERSTOOD)
    if signature.hash_algorithm not in ACCEPTED_HASHES:
        name = HASH_NAMES.get(signature.hash_algorithm, f"digest {signature.hash_algorithm}")
        raise Malformed(f"its self-signature uses {name}")
    if signature.created < key.created:
        raise Malformed("its self-signature is older than the key")
    if signature.created > now:
        raise Malformed("its self-signature was made in the future; check the clock")
    if signature.expires is not None and signature.expires <= now:
        raise Malformed("its self-signature has expired")


def refuse_critical(signature: Signature, understood: Collection[int]) -> None:
    """Reject a signature with a critical subpacket that this program does not support.

    Raises:
        Malformed: There is such a subpacket.
    """
    for each in (*signature.hashed, *signature.unhashed):
        if each.critical and each.kind not in understood:
            raise Malformed(f"a signature has a critical subpacket of type {each.kind}")


def _end(key: PublicKey, newest: Iterable[Signature]) -> int | None:
    """Return when a key expires: at the earliest time that a self-signature states.

    Raises:
        Malformed: OpenPGP cannot represent one of them; gpg treats it as one in the past.
    """
    spans = [span for each in newest if (span := each.seconds(signatures.KEY_EXPIRES))]
    if not spans:
        return None
    if key.created + max(spans) >= signatures.TIMES:
        raise Malformed("it expires after 2106, which OpenPGP cannot represent")
    return key.created + min(spans)


def _signs_back(key: PublicKey, binding: Signature, signed: bytes, now: int) -> bool:
    """Whether a subkey has signed that it belongs to the primary key.

    Raises:
        Malformed: That signature is malformed or not valid, or there is another one beside it:
            gpg takes the newest, which need not be the valid one.
        Unsupported: It cannot be checked.
    """
    found = [
        signatures.read(each.body)
        for each in (*binding.hashed, *binding.unhashed)
        if each.kind == signatures.EMBEDDED_SIGNATURE
    ]
    if len(found) > 1:
        raise Malformed("its binding contains several signatures")
    for signature in found:
        signature.check_lengths()
        if signature.kind == signatures.PRIMARY_KEY_BINDING and signature.holds(key, signed):
            _check_self_signature(signature, key, now)
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
