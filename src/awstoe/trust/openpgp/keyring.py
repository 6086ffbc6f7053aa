"""The keys that are trusted: read from a file, found by what a signature says about its maker."""

from collections.abc import Mapping, Sequence
from typing import Final

from awstoe import limits
from awstoe.errors import TrustError
from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp.certificates import Certificate, Problem, SigningKey
from awstoe.trust.openpgp.packets import Malformed, Packet, dearmored, packets
from awstoe.trust.openpgp.signatures import Signature
from awstoe.trust.policy import KeyState, Verdict

_LABEL: Final = "PUBLIC KEY BLOCK"


class Keyring:
    """Certificates whose signatures count.

    Args:
        certificates: All of them.
        states: The state of each by its fingerprint; one that is not in it does not count. None
            when all of them count and only they themselves can say that they are revoked.
    """

    def __init__(
        self,
        certificates: Sequence[Certificate],
        states: Mapping[str, KeyState] | None = None,
    ) -> None:
        self.certificates = [
            each for each in certificates if states is None or each.fingerprint in states
        ]
        self._states = states

    def candidate_keys(self, signature: Signature, now: int) -> list[SigningKey]:
        """The keys that may have made a signature.

        Args:
            signature: Says so by fingerprint, or only by the 16 digits of a key id.
            now: Seconds since 1970.

        Raises:
            Malformed: It does not say so.
        """
        fingerprints, key_ids = signature.issuers()
        if not fingerprints and not key_ids:
            raise Malformed("the signature does not say which key made it")
        return [
            self._with_state(found)
            for each in self.certificates
            for found in each.signing_keys(now)
            if signature.is_by(found.key)
        ]

    def _with_state(self, found: SigningKey) -> SigningKey:
        if self._states is None or self._states[found.certificate] is not KeyState.REVOKED:
            return found
        reason = f"the key {found.certificate[-16:]} is revoked"
        return found._replace(problem=Problem(Verdict.REVOKED, reason))


def read(data: bytes, name: str, states: Mapping[str, KeyState] | None = None) -> Keyring:
    """The certificates in a key file, armored or binary.

    Args:
        data: The bytes of the file, of which more than the limit need not be read.
        name: The file, for messages.
        states: See ``Keyring``.

    Raises:
        TrustError: It holds something else.
    """
    if len(data) > limits.KEYRING_BYTES:
        raise TrustError(f"{name} has more than {limits.KEYRING_BYTES} bytes: this is no key file")
    hint = "export the public key: gpg --export --armor KEY > FILE"
    try:
        found = _certificates(data, name)
    except Malformed as error:
        raise TrustError(str(error), hint=hint) from error
    if not found:
        raise TrustError(f"{name} is empty: expected an OpenPGP public key", hint=hint)
    return Keyring(found, states)


def _certificates(data: bytes, name: str) -> list[Certificate]:
    groups: dict[Packet, list[Packet]] = {}
    group: list[Packet] | None = None
    for packet in packets(dearmored(data, _LABEL, name), name):
        if packet.tag in (tags.SECRET_KEY, tags.SECRET_SUBKEY):
            raise Malformed(f"{name} has a private key: expected a public one")
        if packet.tag == tags.PUBLIC_KEY:
            group = groups.setdefault(packet, [])
        elif group is None:
            raise Malformed(f"{name} begins with a packet of type {packet.tag}: expected a key")
        group.append(packet)
    return [Certificate(each) for each in groups.values()]
