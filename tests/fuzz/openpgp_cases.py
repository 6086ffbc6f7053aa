"""Makes key files and signatures, most of them nearly right: structure by structure, then mutated.

Many signatures in them are valid: by the right keys, over fields that no signer would choose.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from awstoe.trust.openpgp.packets import Malformed
from awstoe_signing.openpgp import sign as openpgp_signing
from fakes.openpgp_forge import (
    NOW,
    USER,
    Fields,
    ForgedKey,
    Subpackets,
    mpi,
    old_packet,
    packet,
    time_of,
)
from fakes.openpgp_packets import value_at
from fuzz.openpgp_keys import curve_key, rsa_key

DATA = b"the program\n" * 9
RSA_KEYS = 2
"""How many RSA keys there are: making one takes a second."""
Part = tuple[int, bytes]
"""The type and body of a packet."""


class Case(NamedTuple):
    """A key file, and a signature of some data."""

    keys: bytes
    signature: bytes
    data: bytes


def make(chance: random.Random, number: int) -> Case:
    """Return a case.

    Args:
        chance: The source of everything random.
        number: Makes its keys different from those of all other cases.
    """
    maker = _Maker(chance, number)
    parts = maker.certificate()
    if chance.random() < 0.15:
        parts = maker.extended(parts)
    for _ in range(chance.choice([0, 0, 0, 0, 1, 1, 2])):
        if parts:
            parts = maker.mutated(parts)
    keys = b"".join(maker.encoded(*part) for part in parts)
    if chance.random() < 0.1:
        keys = maker.armored(keys, "PUBLIC KEY BLOCK")
    data = DATA if chance.random() < 0.97 else chance.choice([DATA[:-1], DATA + b"\n", b""])
    return Case(keys, maker.signature_file(), data)


class _Maker:
    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        created = NOW - 10_000 - number % 100_000
        if chance.random() < 0.15:
            self.primary = rsa_key(chance.randrange(RSA_KEYS), created)
        else:
            self.primary = curve_key(chance, created)
        self.subkey = curve_key(chance, created + chance.choice([0, 1, 500]))
        self.stranger = curve_key(chance, created)
        self.level = chance.choice([0.05, 0.3, 1.0, 1.5])
        self.has_subkey = chance.random() < 0.4

    def odd(self, share: float) -> bool:
        """Whether to do something unusual: in some cases often, in some almost never."""
        return self.chance.random() < share * self.level

    # --- fields -----------------------------------------------------------------------------------

    def moment(self) -> int:
        """Return a creation time: often the same, so that several signatures have it."""
        usual = [NOW - 100, NOW - 100, NOW - 100, NOW - 50, NOW - 5_000, self.primary.created]
        odd = [NOW, NOW + 1, self.primary.created - 1, self.subkey.created, 0, 2**32 - 1]
        return self.chance.choice(odd if self.odd(0.1) else usual)

    def hash_number(self) -> int:
        return self.chance.choice([1, 2, 11] if self.odd(0.06) else [8, 9, 10, 10, 10])

    def span(self) -> bytes:
        """Return a time after which a key or signature expires."""
        spans = [0, 1, 99, 100, 101, 9_900, 9_950, 9_999, 10_001, 99_999, 2**31, 2**32 - 1]
        return self.chance.choice(spans).to_bytes(4)

    def odd_subpacket(self) -> tuple[int, bytes]:
        """Return a subpacket of any type, with usual or random contents."""
        chance = self.chance
        kind = chance.choice([*range(41), 100, 110, 127])
        length = chance.choice([0, 1, 1, 2, 4, 4, 8, 20, 21, 22, 200])
        body = chance.choice([chance.randbytes(length), bytes(length), b"\x01" * length])
        if chance.random() < 0.3:
            lengths = (3).to_bytes(2) + (5).to_bytes(2)
            kind, body = 20, chance.choice([b"\x80\0\0\0", bytes(4)]) + lengths + b"a@bvalue"
        return kind | (0x80 if self.odd(0.1) else 0), body

    def flags(self) -> Subpackets:
        chance = self.chance
        if not self.odd(0.2):
            return [(27, b"\x03")]
        odd: list[Subpackets] = [
            [], [(27, b"")], [(27, b"\x01")], [(27, b"\x02")], [(27, b"\x03\x00")],
            [(0x80 | 27, b"\x03")], [(27, b"\x03"), (27, b"\x01")], [(27, b"\x0c")],
        ]  # fmt: skip
        return chance.choice(odd)

    def extra(self, *, self_signature: bool) -> Subpackets:
        chance = self.chance
        found = [*self.flags()] if self_signature else []
        for kind, share in ((9, 0.2), (3, 0.1)):
            if self.odd(share) and (self_signature or kind == 3):
                found.append((kind | (0x80 if chance.random() < 0.2 else 0), self.span()))
        if self.odd(0.15):
            found.append((25, chance.choice([b"\x01", b"\0", b""])))
        if self_signature and self.odd(0.05):
            found.append((12, b"\x80\x16" + self.stranger.fingerprint))
        if self.odd(0.15):
            found.append(self.odd_subpacket())
        chance.shuffle(found)
        return found

    def fields(self, key: ForgedKey, kind: int, *, self_signature: bool) -> Fields:
        """Return the fields of a signature by a key."""
        chance = self.chance
        time = time_of(2, self.moment())
        extra = self.extra(self_signature=self_signature)
        hashed = [key.issuer_fingerprint, time, *extra]
        unhashed: Subpackets = [key.issuer]
        if self.odd(0.15):
            hashed = chance.choice(
                [[time, *extra], [key.issuer, time, *extra], [*extra, time],
                 [key.issuer_fingerprint, *extra], [time, time, *extra],
                 [self.stranger.issuer_fingerprint, time, *extra]]
            )  # fmt: skip
        if self.odd(0.15):
            unhashed = chance.choice(
                [[], [key.issuer_fingerprint], [self.stranger.issuer], [key.issuer, key.issuer],
                 [key.issuer, self.stranger.issuer], [self.stranger.issuer, key.issuer],
                 [(0x80 | 16, key.issuer[1])], [key.issuer, self.odd_subpacket()],
                 [key.issuer, time_of(2, NOW - 7)], [key.issuer, key.issuer_fingerprint]]
            )  # fmt: skip
        return {
            "kind": kind,
            "hashed": hashed,
            "unhashed": unhashed,
            "hash_number": self.hash_number(),
        }

    # --- certificates -----------------------------------------------------------------------------

    def by_primary(self, signed: bytes, kind: int) -> Part:
        """Return a signature by the primary key, or rarely by another one."""
        chance = self.chance
        key = self.stranger if self.odd(0.07) else self.primary
        if self.odd(0.02):
            key_id = chance.choice([key.fingerprint[-8:], b"elsewher"])
            return 2, key.old_signature(signed, kind, NOW - 100, key_id)
        return 2, key.signature(signed, **self.fields(key, kind, self_signature=True))

    def certificate(self) -> list[Part]:
        chance, primary = self.chance, self.primary
        parts: list[Part] = [(6, primary.body)]
        if self.odd(0.12):
            parts.append(self.by_primary(primary.hashed, 0x1F))
        if self.odd(0.05):
            parts.append(self.by_primary(primary.hashed, 0x20))
        for _ in range(chance.choice([1, 1, 1, 2])):
            parts += self.identity()
        if self.has_subkey:
            for _ in range(chance.choice([1, 1, 1, 2])):
                parts += self.bound_subkey()
        return parts

    def identity(self) -> list[Part]:
        chance = self.chance
        tag, body = 13, chance.choice([USER, b"b", b"\xff\xfe", b"a" * 2038, USER, USER])
        if self.odd(0.07):
            tag, body = 17, b"\x05\x01abcd"
        if self.odd(0.03):
            body = chance.choice([b"", b"a" * 2048, b"a" * 2049, b"a\0b", b"a\nb"])
        prefix = b"\xb4" if tag == 13 else b"\xd1"
        signed = self.primary.hashed + prefix + len(body).to_bytes(4) + body
        parts = [(tag, body)]
        kinds = chance.choices([0x10, 0x13, 0x13, 0x13], k=chance.choice([1, 1, 1, 2, 3]))
        parts += [self.by_primary(signed, kind) for kind in kinds]
        if self.odd(0.06):
            parts.append(self.by_primary(signed, 0x30))
        if self.odd(0.1):
            fields = self.fields(self.stranger, 0x10, self_signature=False)
            parts.append((2, self.stranger.signature(signed, **fields)))
        return parts

    def bound_subkey(self) -> list[Part]:
        chance, key = self.chance, self.subkey
        signed = self.primary.hashed + key.hashed
        parts: list[Part] = [(14, key.body)]
        for _ in range(chance.choice([1, 1, 1, 2])):
            fields = self.fields(self.primary, 0x18, self_signature=True)
            backs = [self.back(signed) for _ in range(chance.choice([1, 1, 1, 1, 0, 2]))]
            place = "hashed" if chance.random() < 0.8 else "unhashed"
            if place == "hashed":
                fields["hashed"] = [*fields["hashed"], *backs]
            else:
                fields["unhashed"] = [*fields["unhashed"], *backs]
            parts.append((2, self.primary.signature(signed, **fields)))
        if self.odd(0.06):
            parts.append(self.by_primary(signed, 0x28))
        return parts

    def back(self, signed: bytes) -> tuple[int, bytes]:
        """Return a subpacket with the subkey's signature over its primary key."""
        chance = self.chance
        key = self.stranger if self.odd(0.05) else self.subkey
        kind = chance.choice([0x18, 0x13, 0x00]) if self.odd(0.03) else 0x19
        return 32, key.signature(signed, **self.fields(key, kind, self_signature=False))

    def extended(self, parts: list[Part]) -> list[Part]:
        """Return the parts with something before or after them."""
        chance = self.chance
        other = [(6, self.stranger.body), (13, b"other")]
        other.append((2, self.stranger.certification(b"other")))
        copy = [parts[0], *chance.sample(parts[1:], chance.randrange(len(parts)))]
        revoked = [*parts, (2, self.primary.signature(self.primary.hashed, kind=0x20))]
        return chance.choice([other + parts, parts + other, parts + copy, copy + parts, revoked])

    # --- mutations --------------------------------------------------------------------------------

    def mutated(self, parts: list[Part]) -> list[Part]:
        chance = self.chance
        parts = list(parts)
        at = chance.randrange(len(parts))
        change = chance.choice(
            ["move", "move", "copy", "drop", "insert", "body", "body", "body", "swap"]
        )
        if change == "move":
            parts.insert(chance.randrange(len(parts)), parts.pop(at))
        elif change == "copy":
            parts.insert(chance.randrange(len(parts) + 1), parts[at])
        elif change == "drop":
            del parts[at]
        elif change == "insert":
            parts.insert(chance.randrange(len(parts) + 1), self.odd_part())
        elif change == "swap":
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        else:
            tag, body = parts[at]
            parts[at] = tag, self.changed(body, is_signature=tag == 2)
        return parts

    def odd_part(self) -> Part:
        chance = self.chance
        key = self.stranger.body
        return chance.choice(
            [
                *[
                    (10, b"PGP"),
                    (12, chance.randbytes(2)),
                    (17, b"\x02\x01"),
                    (21, bytes(8)),
                    (60, b"x"),
                ],
                *[(61, b""), (11, b"b\0" + bytes(4) + DATA), (8, b"\0"), (16, b"old comment")],
                *[(14, key), (14, key[:9]), (14, key[:20]), (6, key), (13, b"a" * 3000)],
                *((14, bytes([version]) + key[1:]) for version in (3, 5, 6)),
                *((6, bytes([version]) + key[1:]) for version in (3, 5, 6)),
                *((2, bytes([version]) + bytes(30)) for version in (4, 5, 6)),
                (14, b"\x04" + bytes(4) + b"\x63" + bytes(9)),
                (2, b"\x04\x13\x01\x08" + bytes(4) + b"ab\x00\x08\x80"),
            ]
        )

    def changed(self, body: bytes, *, is_signature: bool) -> bytes:
        """Return a body with a few bytes changed, often where no signature covers them."""
        chance = self.chance
        if is_signature and body[:1] == b"\x04" and chance.random() < 0.6:
            try:
                return self.changed_signature(body)
            except Malformed:
                pass  # an earlier change has truncated it
        at = chance.randrange(len(body) + 1)
        changes: list[Callable[[], bytes]] = [
            lambda: body[:at] + bytes([body[at - 1] ^ 1 << chance.randrange(8)]) + body[at + 1 :],
            lambda: body[:at] + chance.randbytes(1) + body[at:],
            lambda: body[:at],
            lambda: body + chance.choice([b"\0", b"\x01", bytes(20)]),
        ]
        return chance.choice(changes)() if body else b"\0"

    def changed_signature(self, body: bytes) -> bytes:
        """Return a signature that is changed only where it does not cover itself."""
        chance = self.chance
        at = value_at(body)
        start, value = body[at - 2 : at], body[at:]
        head = body[: 6 + int.from_bytes(body[4:6])]
        unhashed = body[len(head) : at - 2]
        bits, rest = int.from_bytes(value[:2]), value[2:]
        shorter = int.from_bytes(value[:2]) - 1
        return chance.choice(
            [
                head + unhashed + chance.randbytes(2) + value,
                head + unhashed + start + value + chance.choice([b"\0", b"\0\0", b"\x00\x01\x01"]),
                head + unhashed + start + (bits + 8).to_bytes(2) + b"\0" + rest,
                head + unhashed + start + (bits + 1).to_bytes(2) + rest,
                head + unhashed + start + shorter.to_bytes(2) + rest,
                head + b"\0\0" + start + value,
                head + (9).to_bytes(2) + b"\x0a\x10elsewhe"[:9] + start + value,
                head + (10).to_bytes(2) + b"\x09\x10elsewher" + start + value,
                head + (20).to_bytes(2) + unhashed[2:12] + b"\x09\x10elsewher" + start + value,
                head + unhashed + start + self.lengthened(value),
            ]
        )

    def lengthened(self, value: bytes) -> bytes:
        """Return an RSA value with the modulus added; other values as they are."""
        if self.primary.algorithm != 1:
            return value
        modulus = int.from_bytes(self.primary.body[8 : 8 + 384])
        return mpi(int.from_bytes(value[2:]) + modulus)

    # --- encodings --------------------------------------------------------------------------------

    def encoded(self, tag: int, body: bytes) -> bytes:
        """Return a packet with any header."""
        chance = self.chance
        if tag < 16 and chance.random() < 0.3 and len(body) < 1 << 16:
            return old_packet(tag, body)
        if chance.random() < 0.2 and len(body) < 192:
            return bytes([0xC0 | tag, len(body)]) + body
        if self.odd(0.01):
            return bytes([0x80 | (tag & 15) << 2 | 3]) + body
        if self.odd(0.01):
            return bytes([0xC0 | tag, 0xE0]) + body[:1] + bytes([0xC0 | tag]) + body
        return packet(tag, body)

    def armored(self, data: bytes, label: str) -> bytes:
        chance = self.chance
        made = openpgp_signing.armored(data, label)
        if chance.random() < 0.5:
            return made
        return chance.choice(
            [made.replace(b"\n", b"\r\n"), made.removesuffix(b"\n"), b"text\n" + made, made + made,
             made.replace(b"\n\n", b"\nComment: a  b \n\n", 1),
             made.replace(b"\n\n", b"\nComment: " + chance.randbytes(9) + b"\n\n", 1),
             made.replace(b"\n\n", b"\n \n", 1),
             made.replace(b"\n\n", b"\nHash: SHA1\n\n", 1), made.replace(b"\n=", b"\n==", 1),
             made + b"\n", made.replace(b"-----END", b"----END")]
        )  # fmt: skip

    # --- signatures -------------------------------------------------------------------------------

    def signature_file(self) -> bytes:
        chance = self.chance
        bodies = [self.signature() for _ in range(chance.choice([1, 1, 1, 1, 1, 1, 2, 3]))]
        if self.odd(0.15):
            at = chance.randrange(len(bodies))
            bodies[at] = self.changed(bodies[at], is_signature=True)
        made = b"".join(self.encoded(2, body) for body in bodies)
        if self.odd(0.03):
            made = self.encoded(*self.odd_part()) + made
        if self.odd(0.03):
            made += chance.choice([b"\0", b"\n", self.encoded(*self.odd_part())])
        return self.armored(made, "SIGNATURE") if self.odd(0.15) else made

    def signature(self) -> bytes:
        chance = self.chance
        key = self.primary
        if self.has_subkey and chance.random() < 0.6:
            key = self.subkey
        if self.odd(0.03):
            key = self.stranger
        kind = chance.choice([1, 2, 0x10, 0x18, 0x20, 0x40, 0x50]) if self.odd(0.03) else 0
        fields = self.fields(key, kind, self_signature=False)
        if self.odd(0.02):
            fields["algorithm"] = chance.choice([1, 2, 3, 17, 19, 22, 27])
        return key.signature(DATA, **fields)
