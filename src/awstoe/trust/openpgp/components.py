"""The parts of an OpenPGP certificate, and the signatures of its primary key on each of them.

Every signature is tried with every part that it may be of, regardless of where it is in the file
and of the names in its unprotected area: both can be changed without a key. What takes something
back then counts. What grants something must also be where gpg expects it and be written as signers
write it. If it is not, the certificate is not used, because gpg might overlook it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.keys import PublicKey, Unsupported
from awstoe.trust.openpgp.packets import Malformed, Packet
from awstoe.trust.openpgp.signatures import Signature

_ORDER: Final = {
    tags.PUBLIC_KEY: 0,
    tags.USER_ID: 1,
    tags.USER_ATTRIBUTE: 1,
    tags.PUBLIC_SUBKEY: 2,
}
_IDENTITIES: Final = (tags.USER_ID, tags.USER_ATTRIBUTE)
_IDENTITY_PREFIX: Final = {tags.USER_ID: b"\xb4", tags.USER_ATTRIBUTE: b"\xd1"}
_SUBJECTS: Final[dict[int, Collection[int]]] = {
    **dict.fromkeys(signatures.CERTIFICATIONS, _IDENTITIES),
    signatures.CERTIFICATION_REVOCATION: (*_IDENTITIES, tags.PUBLIC_KEY),
    signatures.DIRECT_KEY: (tags.PUBLIC_KEY,),
    signatures.KEY_REVOCATION: (tags.PUBLIC_KEY,),
    signatures.SUBKEY_BINDING: (tags.PUBLIC_SUBKEY,),
    signatures.SUBKEY_REVOCATION: (tags.PUBLIC_SUBKEY,),
}
"""The parts that a signature may be of, by its type."""
_OF_IDENTITIES: Final = signatures.CERTIFICATIONS | {signatures.CERTIFICATION_REVOCATION}
_USER_ID_OCTETS: Final = 2038
"""gpg cannot store longer ones, and then ignores the rest of the file."""
_DIGEST_COST: Final = 4
_OCTETS_PER_COST: Final = 400


class Allowance:
    """The time that checking the keys of a file may take: an attacker may have written the file.

    It is counted, not measured, so that the verdict does not depend on the machine.
    """

    def __init__(self) -> None:
        self._left = limits.OPENPGP_COST

    def spend(self, cost: int) -> None:
        """Use up a part of it, in units of about a microsecond.

        Raises:
            Malformed: Nothing is left.
        """
        self._left -= cost
        if self._left < 0:
            raise Malformed("the key file has more signatures than can be checked")


class Component(NamedTuple):
    """A part of a certificate: the primary key itself, a user ID, a picture or a subkey."""

    tag: int
    body: bytes
    signed: bytes
    """The bytes that represent it in a digest."""
    signatures: list[Signature]
    """Those of the primary key."""

    def of(self, *kinds: int) -> list[Signature]:
        """Return its signatures of the given types."""
        return [each for each in self.signatures if each.kind in kinds]


class _Placed(NamedTuple):
    """A signature, and the part that it follows in the file."""

    signature: Signature
    place: Packet


class Components:
    """The parts of a certificate, as they are in a file.

    Args:
        sequence: The packets, the primary key first. Repeated parts are merged with the signatures
            of both, so that a copy without a revocation cannot hide one that has it.

    Raises:
        Malformed: gpg would stop reading the file at one of the packets.
    """

    def __init__(self, sequence: Sequence[Packet]) -> None:
        self.primary = PublicKey(sequence[0].body)
        self.subkeys: dict[bytes, PublicKey] = {}
        """By the bodies of their packets."""
        self._order: dict[Packet, None] = {}
        self._placed: dict[tuple[bytes, Packet], _Placed] = {}
        self._disorder = ""
        place = sequence[0]
        seen: set[Packet] = set()
        for packet in sequence:
            if packet.tag == tags.SIGNATURE:
                self._place(packet.body, place)
                continue
            if packet.tag == tags.PUBLIC_KEY:
                seen.clear()  # another copy, which gpg merges
            elif packet.tag == tags.PUBLIC_SUBKEY and packet in seen:
                self._disorder = "it has a subkey twice, of which gpg uses one"
            seen.add(packet)
            self._add(packet, place)
            place = packet

    def _place(self, body: bytes, place: Packet) -> None:
        if (body, place) in self._placed:
            return
        signature = signatures.read_in_key(body)
        self._placed[body, place] = _Placed(signature, place)
        if place.tag == tags.PUBLIC_KEY and signature.kind in _OF_IDENTITIES:
            self._disorder = "it has a certification before its first user ID"
        try:
            signature.check_lengths()
        except Malformed as error:
            self._disorder = str(error)

    def _add(self, packet: Packet, before: Packet) -> None:
        if packet.tag not in _ORDER:
            raise Malformed(f"a public key is followed by a packet of type {packet.tag}")
        if packet.tag == tags.PUBLIC_SUBKEY and packet.body not in self.subkeys:
            self.subkeys[packet.body] = PublicKey(packet.body)
        if packet.tag == tags.USER_ID and len(packet.body) > _USER_ID_OCTETS:
            raise Malformed(f"a user ID has more than {_USER_ID_OCTETS} bytes")
        if packet.tag != tags.PUBLIC_KEY and _ORDER[packet.tag] < _ORDER[before.tag]:
            self._disorder = "it has a user ID after a subkey"
        self._order.setdefault(packet)

    def checked(self, allowance: Allowance) -> list[Component]:
        """Return the parts in the order of the file, each with the primary key's signatures.

        Raises:
            Malformed: They are not as gpg expects them, or take too long to check.
            Unsupported: Whether the primary key made one of them cannot be checked.
        """
        found = {each: self._component(each) for each in self._order}
        problems = [
            self._assign(each, place, found, allowance) for each, place in self._placed.values()
        ]
        # A revocation decides, not what else is wrong.
        components = list(found.values())
        if not any(each.of(signatures.KEY_REVOCATION) for each in components):
            for problem in (self._disorder, *problems):
                if problem:
                    raise Malformed(problem)
        return components

    def revocations(self) -> Iterator[Signature]:
        """Return the signatures that revoke the key, by any key and unchecked."""
        for signature, _place in self._placed.values():
            if signature.kind == signatures.KEY_REVOCATION:
                yield signature

    def _component(self, packet: Packet) -> Component:
        hashed = self.primary.hashed
        if packet.tag == tags.PUBLIC_SUBKEY:
            hashed += self.subkeys[packet.body].hashed
        elif packet.tag in _IDENTITY_PREFIX:
            length = len(packet.body).to_bytes(4, "big")
            hashed += _IDENTITY_PREFIX[packet.tag] + length + packet.body
        return Component(packet.tag, packet.body, hashed, [])

    def _assign(
        self,
        signature: Signature,
        place: Packet,
        found: dict[Packet, Component],
        allowance: Allowance,
    ) -> str:
        """Add a signature to the part that it is of, and return what is wrong with it.

        Raises:
            Malformed: There is no time left to check it.
        """
        primary = self.primary
        subjects = _SUBJECTS.get(signature.kind)
        try:
            if subjects is None or not signature.may_be_by(primary):
                return ""
            if _is_old(signature) and signature.is_by(primary) and _grants(signature):
                return f"it has a self-signature of version {signature.version}"
            cost = primary.cost
            opened = signature.opened_by(primary)
            digest_of = signature.digest_of
        except (Malformed, Unsupported) as error:
            return "" if _is_of_others(signature, primary) else str(error)
        allowance.spend(cost)
        if not opened.is_possible:
            return ""
        for component in (found[place], *found.values()):
            if component.tag not in subjects:
                continue
            allowance.spend(_DIGEST_COST + len(component.signed) // _OCTETS_PER_COST + opened.cost)
            digest = digest_of(component.signed)
            if opened.holds(digest):
                component.signatures.append(signature)
                damaged = not opened.canonical or digest[:2] != signature.digest_start
                return _problem(primary, signature, component, place, damaged=damaged)
        return ""


def _is_old(signature: Signature) -> bool:
    return signature.version != signatures.VERSION


def _is_of_others(signature: Signature, primary: PublicKey) -> bool:
    """Whether a signature that cannot be checked is no reason to reject a certificate.

    Anyone can certify a key, with any digest, and publish that. gpg overlooks it, too.
    """
    try:
        return _grants(signature) and any(signature.issuers()) and not signature.names(primary)
    except Malformed:
        return False


def _grants(signature: Signature) -> bool:
    return signature.kind not in signatures.REVOCATIONS


def _problem(
    primary: PublicKey, signature: Signature, component: Component, place: Packet, *, damaged: bool
) -> str:
    """Return why a signature that grants something must not do so."""
    if signature.kind == signatures.CERTIFICATION_REVOCATION:
        revokes_direct = component.tag == tags.PUBLIC_KEY
        return "its direct self-signature is revoked" if revokes_direct else ""
    if not _grants(signature):
        return ""
    if _is_old(signature):
        return f"it has a self-signature of version {signature.version}"
    if (component.tag, component.body) != place:
        return "it has a self-signature that is not next to what it is of"
    if not signature.issuers()[1]:
        return "it has a self-signature without a key ID, which gpg ignores"
    if signature.is_local:
        return "it has a self-signature that is not for export, which gpg does not import"
    if damaged or not signature.is_by(primary):
        return "it has a self-signature whose unprotected part was altered"
    return ""
