"""The trusted keys: reads them from a file, and finds those that may have made a signature."""

from collections.abc import Mapping, Sequence
from typing import Final

from awstoe import limits
from awstoe.errors import TrustError
from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp.certificates import Certificate, Problem, SigningKey
from awstoe.trust.openpgp.components import Allowance
from awstoe.trust.openpgp.packets import Malformed, Packet, dearmored, packets
from awstoe.trust.openpgp.signatures import Signature
from awstoe.trust.policy import KeyState, Verdict

_LABEL: Final = "PUBLIC KEY BLOCK"


class Keyring:
    """The trusted certificates.

    Args:
        certificates: The certificates of a key file.
        states: The state of each trusted one by its fingerprint. None if all of them are trusted,
            and only their own signatures can revoke them.
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
        self._allowance = Allowance()
        self._judged: dict[tuple[int, int], list[SigningKey]] = {}

    def candidate_keys(self, signature: Signature, now: int) -> list[SigningKey]:
        """Return the keys that may have made a signature.

        Args:
            signature: Names its key by fingerprint, or only by the 16 digits of a key ID.
            now: Seconds since 1970.

        Raises:
            Malformed: It does not name its key.
        """
        if not signature.names_for_gpg():
            raise Malformed("the signature does not name the key that made it")
        return [
            self._with_state(key)
            for number, each in enumerate(self.certificates)
            if any(map(signature.is_by, each.keys))
            for key in self._signing_keys(number, now)
            if signature.is_by(key.key)
        ]

    def _signing_keys(self, number: int, now: int) -> list[SigningKey]:
        """Judge a certificate once, regardless of the number of signatures."""
        found = self._judged.get((number, now))
        if found is None:
            found = self.certificates[number].signing_keys(now, self._allowance)
            self._judged[number, now] = found
        return found

    def _with_state(self, key: SigningKey) -> SigningKey:
        if self._states is None or self._states[key.certificate] is not KeyState.REVOKED:
            return key
        reason = f"the key {key.certificate[-16:]} is revoked"
        return key._replace(problem=Problem(Verdict.REVOKED, reason))


def read(data: bytes, name: str, states: Mapping[str, KeyState] | None = None) -> Keyring:
    """Read the certificates in a key file, armored or binary.

    Args:
        data: The bytes of the file; of a large file, one byte more than the limit is enough.
        name: The file's name in messages.
        states: See ``Keyring``.

    Raises:
        TrustError: The file is not a key file.
    """
    if len(data) > limits.KEYRING_BYTES:
        raise TrustError(f"{name} has more than {limits.KEYRING_BYTES} bytes: it is not a key file")
    hint = "export the public key: gpg --export --armor KEY > FILE"
    try:
        certificates = _certificates(data, name)
    except Malformed as error:
        raise TrustError(str(error), hint=hint) from error
    if not certificates:
        raise TrustError(f"{name} is empty: expected an OpenPGP public key", hint=hint)
    return Keyring(certificates, states)


def _certificates(data: bytes, name: str) -> list[Certificate]:
    groups: dict[Packet, list[Packet]] = {}
    group: list[Packet] | None = None
    for packet in packets(dearmored(data, _LABEL, name), name):
        if packet.tag in (tags.SECRET_KEY, tags.SECRET_SUBKEY):
            raise Malformed(f"{name} contains a private key: expected a public one")
        if packet.tag == tags.PUBLIC_KEY:
            group = groups.setdefault(packet, [])
        elif group is None:
            raise Malformed(f"{name} starts with a packet of type {packet.tag}: expected a key")
        elif packet.tag == tags.TRUST:
            continue  # notes of gpg in its own key files, which it does not import either
        group.append(packet)
    return [Certificate(each) for each in groups.values()]
