"""The rules as data: signatures, certificates and subkeys, each with the expected verdict."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Unpack

from awstoe.trust.policy import Verdict
from awstoe_signing.openpgp import sign as openpgp_signing
from fakes.openpgp_forge import (
    CERTIFY_AND_SIGN,
    NOW,
    USER,
    Fields,
    ForgedKey,
    mpi,
    old_packet,
    packet,
    time_of,
)

ENCRYPTS = b"\x04" + bytes(4) + b"\x10" + mpi(0x8F0F) + mpi(5) + mpi(0x1234)
"""An Elgamal key of toy size."""
OLD_END = b"\x01\x08ab\x00\x04\x0f"
"""Algorithms, the start of the digest and the value of a signature of version 3."""
DATA = b"the file\n" * 1000


class Keys(NamedTuple):
    key: ForgedKey
    other: ForgedKey
    weak: ForgedKey


def by_others(keys: Keys, *, kind: int) -> Fields:
    """Return the fields of a signature by another key, which are not protected."""
    hashed = [time_of(2, NOW - 50)]
    return {"kind": kind, "hash_number": 1, "hashed": hashed, "unhashed": [keys.other.issuer]}


def old_with_md5(keys: Keys) -> bytes:
    """Return a certification by another key, as PGP 2 made them."""
    body = keys.key.old_signature(b"another", 0x10, NOW - 50, b"elsewher")
    return body[:16] + b"\x01" + body[17:]


def armored(data: bytes) -> bytes:
    return openpgp_signing.armored(data, "SIGNATURE")


def notation(name: bytes, value: bytes) -> tuple[int, bytes]:
    lengths = len(name).to_bytes(2) + len(value).to_bytes(2)
    return 20, b"\x80\0\0\0" + lengths + name + value


SIGNATURES: dict[str, tuple[Callable[[Keys], bytes], Verdict, str]] = {
    # --- accepted ---------------------------------------------------------------------------
    "RSA and SHA-512": (lambda k: packet(2, k.key.signature(DATA)), Verdict.GOOD, ""),
    "RSA and SHA-256": (
        lambda k: packet(2, k.key.signature(DATA, hash_number=8)),
        Verdict.GOOD,
        "",
    ),
    "RSA and SHA-384": (
        lambda k: packet(2, k.key.signature(DATA, hash_number=9)),
        Verdict.GOOD,
        "",
    ),
    "Ed25519": (lambda k: packet(2, k.other.signature(DATA)), Verdict.GOOD, ""),
    "old header": (lambda k: old_packet(2, k.key.signature(DATA)), Verdict.GOOD, ""),
    "armored": (lambda k: armored(packet(2, k.key.signature(DATA))), Verdict.GOOD, ""),
    "armored with CR LF": (
        lambda k: armored(packet(2, k.key.signature(DATA))).replace(b"\n", b"\r\n"),
        Verdict.GOOD,
        "",
    ),
    "armored with a comment": (
        lambda k: armored(packet(2, k.key.signature(DATA))).replace(
            b"\n\n", b"\nComment: made for a test\n\n", 1
        ),
        Verdict.GOOD,
        "",
    ),
    "armored with a comment beyond ASCII": (
        lambda k: armored(packet(2, k.key.signature(DATA))).replace(
            b"\n\n", "\nComment: für Ärzte\n\n".encode(), 1
        ),
        Verdict.GOOD,
        "",
    ),
    "hashed subpackets in another order": (
        lambda k: packet(
            2, k.key.signature(DATA, hashed=[time_of(2, NOW - 5), k.key.issuer_fingerprint])
        ),
        Verdict.GOOD,
        "",
    ),
    "fingerprint only": (
        lambda k: packet(2, k.key.signature(DATA, unhashed=[])),
        Verdict.GOOD,
        "",
    ),
    "key ID only, unprotected, as gpg before 2.1": (
        lambda k: packet(2, k.key.signature(DATA, hashed=[time_of(2, NOW - 5)])),
        Verdict.GOOD,
        "",
    ),
    "notation": (
        lambda k: packet(2, k.key.signature(DATA, extra=[notation(b"a@example.com", b"x" * 300)])),
        Verdict.GOOD,
        "",
    ),
    "notation with wrong lengths": (
        lambda k: packet(2, k.key.signature(DATA, extra=[(20, bytes(8) + b"x")])),
        Verdict.BAD,
        "a notation has 1 bytes after its end",
    ),
    "subpacket of a certification": (
        lambda k: packet(2, k.key.signature(DATA, extra=[(5, b"")])),
        Verdict.BAD,
        "type 5, which is not for files",
    ),
    "not yet expired": (
        lambda k: packet(2, k.key.signature(DATA, extra=[time_of(3, 101)])),
        Verdict.GOOD,
        "",
    ),
    "two good ones": (
        lambda k: packet(2, k.key.signature(DATA)) + packet(2, k.other.signature(DATA)),
        Verdict.GOOD,
        "",
    ),
    # --- of something else ------------------------------------------------------------------
    "of another file": (
        lambda k: packet(2, k.key.signature(DATA + b"x")),
        Verdict.BAD,
        "the file is not what was signed",
    ),
    "a good and a bad one": (
        lambda k: packet(2, k.key.signature(DATA)) + packet(2, k.other.signature(b"")),
        Verdict.BAD,
        "the file is not what was signed",
    ),
    "a good and an unknown one": (
        lambda k: (
            packet(2, k.key.signature(DATA))
            + packet(2, k.key.signature(DATA, unhashed=[(16, bytes(8))], hashed=[time_of(2, 5)]))
        ),
        Verdict.UNTRUSTED,
        "0000000000000000",
    ),
    "unknown key": (
        lambda k: packet(
            2, k.weak.signature(DATA, hashed=[time_of(2, NOW)], unhashed=[(16, b"12345678")])
        ),
        Verdict.UNTRUSTED,
        "3132333435363738",
    ),
    # --- weak -------------------------------------------------------------------------------
    "SHA-1": (lambda k: packet(2, k.key.signature(DATA, hash_number=2)), Verdict.BAD, "SHA-1"),
    "MD5": (lambda k: packet(2, k.key.signature(DATA, hash_number=1)), Verdict.BAD, "MD5"),
    "SHA-224": (
        lambda k: packet(2, k.key.signature(DATA, hash_number=11)),
        Verdict.BAD,
        "SHA-224",
    ),
    "RSA with 2048 bits": (
        lambda k: packet(2, k.weak.signature(DATA)),
        Verdict.UNTRUSTED,
        "2048 bits",
    ),
    # --- form -------------------------------------------------------------------------------
    "empty file": (lambda _: b"", Verdict.BAD, "0 signatures"),
    "text file": (lambda _: b"hello\n", Verdict.BAD, "neither packets nor armor"),
    "version 3": (
        lambda k: packet(2, k.key.signature(DATA, version=3)),
        Verdict.BAD,
        "version 3",
    ),
    "version 6": (
        lambda k: packet(2, k.key.signature(DATA, version=6)),
        Verdict.BAD,
        "version 6",
    ),
    "of text": (lambda k: packet(2, k.key.signature(DATA, kind=1)), Verdict.BAD, "type 0x01"),
    "of a key": (lambda k: packet(2, k.key.signature(DATA, kind=0x13)), Verdict.BAD, "0x13"),
    "of nothing": (lambda k: packet(2, k.key.signature(DATA, kind=2)), Verdict.BAD, "0x02"),
    "trailing garbage": (
        lambda k: packet(2, k.key.signature(DATA)) + b"garbage",
        Verdict.BAD,
        "0x67 where a packet must start",
    ),
    "trailing zero": (
        lambda k: packet(2, k.key.signature(DATA)) + b"\0",
        Verdict.BAD,
        "0x00 where a packet must start",
    ),
    "garbage inside the packet": (
        lambda k: packet(2, k.key.signature(DATA) + b"\0"),
        Verdict.BAD,
        "not what was signed",
    ),
    "followed by a marker packet": (
        lambda k: packet(2, k.key.signature(DATA)) + packet(10, b"PGP"),
        Verdict.BAD,
        "type 10",
    ),
    "with the file inside": (
        lambda k: packet(11, b"b\0" + bytes(4) + DATA) + packet(2, k.key.signature(DATA)),
        Verdict.BAD,
        "type 11",
    ),
    "indeterminate length": (
        lambda k: b"\x8b" + k.key.signature(DATA),
        Verdict.BAD,
        "indeterminate length",
    ),
    "in parts": (
        lambda k: b"\xc2\xe9" + k.key.signature(DATA)[:512] + b"\x05" + bytes(5),
        Verdict.BAD,
        "split into parts",
    ),
    "truncated": (
        lambda k: packet(2, k.key.signature(DATA))[:-1],
        Verdict.BAD,
        "is truncated",
    ),
    "more bits claimed than there are": (
        lambda k: packet(2, k.key.signature(DATA)[:-386] + b"\x0c\x01" + bytes(385)),
        Verdict.BAD,
        "not what was signed",
    ),
    "too large": (lambda _: bytes([0xC2]) * 70_000, Verdict.BAD, "more than 65536 bytes"),
    "seventeen signatures": (
        lambda k: packet(2, k.other.signature(DATA)) * 17,
        Verdict.BAD,
        "17 signatures",
    ),
    # --- what it states about itself ---------------------------------------------------------
    "unknown critical subpacket": (
        lambda k: packet(2, k.key.signature(DATA, extra=[(0x80 | 99, b"x")])),
        Verdict.BAD,
        "critical subpacket of type 99",
    ),
    "critical notation": (
        lambda k: packet(2, k.key.signature(DATA, extra=[(0x80 | 20, notation(b"a", b"b")[1])])),
        Verdict.BAD,
        "critical subpacket of type 20",
    ),
    "unprotected time": (
        lambda k: packet(
            2,
            k.key.signature(
                DATA, hashed=[k.key.issuer_fingerprint], unhashed=[time_of(2, NOW - 5)]
            ),
        ),
        Verdict.BAD,
        "unprotected subpacket of type 2",
    ),
    "unprotected and critical": (
        lambda k: packet(
            2, k.key.signature(DATA, unhashed=[(0x80 | 16, k.key.fingerprint[-8:])])
        ),
        Verdict.BAD,
        "unprotected subpacket of type 16",
    ),
    "no time": (
        lambda k: packet(2, k.key.signature(DATA, hashed=[k.key.issuer_fingerprint])),
        Verdict.BAD,
        "does not state when",
    ),
    "two times": (
        lambda k: packet(2, k.key.signature(DATA, extra=[time_of(2, NOW - 5)])),
        Verdict.BAD,
        "2 subpackets of type 2",
    ),
    "time of three bytes": (
        lambda k: packet(2, k.key.signature(DATA, hashed=[(2, b"abc")])),
        Verdict.BAD,
        "subpacket of type 2 with 3 bytes",
    ),
    "no issuer": (
        lambda k: packet(2, k.key.signature(DATA, hashed=[time_of(2, NOW)], unhashed=[])),
        Verdict.BAD,
        "does not name the key",
    ),
    "two issuers that disagree": (
        lambda k: packet(2, k.key.signature(DATA, unhashed=[k.other.issuer])),
        Verdict.UNTRUSTED,
        "no trusted key",
    ),
    "fingerprint of a version 6 key": (
        lambda k: packet(
            2, k.key.signature(DATA, hashed=[time_of(2, NOW), (33, b"\x06" + bytes(32))])
        ),
        Verdict.BAD,
        "not of version 4",
    ),
    "key ID of seven bytes": (
        lambda k: packet(2, k.key.signature(DATA, unhashed=[(16, bytes(7))])),
        Verdict.BAD,
        "subpacket of type 16 with 7 bytes",
    ),
    "subpacket without a type": (
        lambda _: packet(2, b"\x04\x00\x01\x0a\x00\x01\x00\x00\x00\x00\x00"),
        Verdict.BAD,
        "without a type",
    ),
    "key algorithm of another key": (
        lambda k: packet(2, k.key.signature(DATA, algorithm=3)),
        Verdict.BAD,
        "not what was signed",
    ),
    # --- time -------------------------------------------------------------------------------
    "expired": (
        lambda k: packet(2, k.key.signature(DATA, extra=[time_of(3, 100)])),
        Verdict.EXPIRED,
        "the signature has expired",
    ),
    "expires after 2106": (
        lambda k: packet(2, k.key.signature(DATA, extra=[time_of(3, 0xFFFFFFFF)])),
        Verdict.BAD,
        "expires after 2106",
    ),
    "made in the future": (
        lambda k: packet(2, k.key.signature(DATA, created=NOW + 1)),
        Verdict.BAD,
        "made in the future",
    ),
    "older than its key": (
        lambda k: packet(2, k.key.signature(DATA, created=k.key.created - 1)),
        Verdict.BAD,
        "older than the key",
    ),
    # --- armor ------------------------------------------------------------------------------
    "armor of a message": (
        lambda k: openpgp_signing.armored(packet(2, k.key.signature(DATA)), "MESSAGE"),
        Verdict.BAD,
        "other armor",
    ),
    "text before the armor": (
        lambda k: b"See below.\n" + armored(packet(2, k.key.signature(DATA))),
        Verdict.BAD,
        "neither packets nor armor",
    ),
    "text after the armor": (
        lambda k: armored(packet(2, k.key.signature(DATA))) + b"See above.\n",
        Verdict.BAD,
        "does not end with",
    ),
    "two armors": (
        lambda k: armored(packet(2, k.key.signature(DATA))) * 2,
        Verdict.BAD,
        "lines of unequal length",
    ),
    "wrong checksum": (
        lambda k: re.sub(rb"\n=....\n", b"\n=AAAA\n", armored(packet(2, k.key.signature(DATA)))),
        Verdict.BAD,
        "a checksum in its armor that does not match",
    ),
    "no checksum, which gpg 2.2 rejects": (
        lambda k: re.sub(rb"\n=....\n", b"\n", armored(packet(2, k.key.signature(DATA)))),
        Verdict.BAD,
        "no checksum",
    ),
    "unknown header": (
        lambda k: armored(packet(2, k.key.signature(DATA))).replace(b"\n\n", b"\nWhat: x\n\n", 1),
        Verdict.BAD,
        "unknown header",
    ),
    "no blank line": (
        lambda k: armored(packet(2, k.key.signature(DATA))).replace(b"\n\n", b"\n", 1),
        Verdict.BAD,
        "no blank line",
    ),
}  # fmt: skip


def certificate_cases() -> dict[str, tuple[Callable[[Keys], bytes], Verdict, str]]:
    def revocation(k: Keys, **fields: Unpack[Fields]) -> bytes:
        fields["kind"] = 0x20
        return k.key.signature(k.key.hashed, **fields)

    return {
        "plain": (lambda k: k.key.certificate(), Verdict.GOOD, ""),
        "two certificates": (
            lambda k: k.other.certificate() + k.key.certificate(),
            Verdict.GOOD,
            "",
        ),
        "twice": (lambda k: k.key.certificate() * 2, Verdict.GOOD, ""),
        "twice, once revoked": (
            lambda k: k.key.certificate(direct=[revocation(k)]) + k.key.certificate(),
            Verdict.REVOKED,
            "",
        ),
        "twice, then revoked": (
            lambda k: k.key.certificate() + k.key.certificate(direct=[revocation(k)]),
            Verdict.REVOKED,
            "",
        ),
        "twice, once with its user ID revoked": (
            lambda k: (
                k.key.certificate(more=packet(2, k.key.certification(kind=0x30, created=NOW - 10)))
                + k.key.certificate()
            ),
            Verdict.UNTRUSTED,
            "no valid user ID",
        ),
        "certified by another key too": (
            lambda k: k.key.certificate(more=packet(2, k.other.signature(b"", kind=0x10))),
            Verdict.GOOD,
            "",
        ),
        "certified by another key in version 3": (
            lambda k: k.key.certificate(
                more=packet(2, b"\x03\x05\x10" + bytes(4) + b"elsewho!" + OLD_END)
            ),
            Verdict.GOOD,
            "",
        ),
        "with a photograph": (
            lambda k: k.key.certificate(more=packet(17, b"\x10" + bytes(16))),
            Verdict.GOOD,
            "",
        ),
        "certified by itself in version 3": (
            lambda k: k.key.certificate(
                more=packet(2, b"\x03\x05\x10" + bytes(4) + k.key.fingerprint[-8:] + OLD_END)
            ),
            Verdict.UNTRUSTED,
            "version 3",
        ),
        "no self-signature": (
            lambda k: packet(6, k.key.body) + packet(13, b"x"),
            Verdict.UNTRUSTED,
            "no valid user ID",
        ),
        "self-signature by another key": (
            lambda k: k.key.certificate(self_signature=k.other.certification()),
            Verdict.UNTRUSTED,
            "no valid user ID",
        ),
        "self-signature of another user ID": (
            lambda k: k.key.certificate(user=b"b", self_signature=k.key.certification(b"a")),
            Verdict.UNTRUSTED,
            "no valid user ID",
        ),
        "not for signing": (
            lambda k: k.key.certificate(extra=[(27, b"\x01")]),
            Verdict.UNTRUSTED,
            "not for signing data",
        ),
        "no key flags": (
            lambda k: k.key.certificate(extra=[]),
            Verdict.UNTRUSTED,
            "not for signing data",
        ),
        "empty key flags": (
            lambda k: k.key.certificate(extra=[(27, b"")]),
            Verdict.UNTRUSTED,
            "not for signing data",
        ),
        "critical key flags": (
            lambda k: k.key.certificate(extra=[(0x80 | 27, b"\x03")]),
            Verdict.GOOD,
            "",
        ),
        "critical keyserver preferences, which gpg does not support": (
            lambda k: k.key.certificate(extra=[(27, b"\x03"), (0x80 | 23, b"\x80")]),
            Verdict.UNTRUSTED,
            "critical subpacket of type 23",
        ),
        "SHA-1 self-signature": (
            lambda k: k.key.certificate(hash_number=2),
            Verdict.UNTRUSTED,
            "SHA-1",
        ),
        "SHA-1 self-signature, renewed with SHA-512": (
            lambda k: k.key.certificate(
                hash_number=2, more=packet(2, k.key.certification(created=NOW - 50))
            ),
            Verdict.GOOD,
            "",
        ),
        "MD5 self-signature": (
            lambda k: k.key.certificate(hash_number=1),
            Verdict.UNTRUSTED,
            "hash algorithm is not supported",
        ),
        "self-signature that names another key, and ends this one": (
            lambda k: k.key.certificate(
                more=packet(
                    2,
                    k.key.certification(
                        hashed=[time_of(2, NOW - 5), time_of(9, 1), k.other.issuer_fingerprint],
                        unhashed=[k.key.issuer],
                    ),
                )
            ),
            Verdict.UNTRUSTED,
            "unprotected part was altered",
        ),
        "MD5 certification by another key": (
            lambda k: k.key.certificate(
                more=packet(2, k.key.signature(b"another", **by_others(k, kind=0x10)))
            ),
            Verdict.GOOD,
            "",
        ),
        "MD5 revocation by another key": (
            lambda k: k.key.certificate(
                more=packet(2, k.key.signature(b"another", **by_others(k, kind=0x30)))
            ),
            Verdict.UNTRUSTED,
            "hash algorithm is not supported",
        ),
        "MD5 certification of version 3 by another key": (
            lambda k: k.key.certificate(more=packet(2, old_with_md5(k))),
            Verdict.GOOD,
            "",
        ),
        "trust packets as in the files of old versions of gpg": (
            lambda k: (
                packet(6, k.key.body)
                + packet(12, b"\0\0")
                + packet(13, USER)
                + packet(12, b"\0\0gpg")
                + packet(2, k.key.certification())
                + packet(12, b"\0\1")
            ),
            Verdict.GOOD,
            "",
        ),
        "self-signature without a key ID, which gpg ignores": (
            lambda k: k.key.certificate(unhashed=[]),
            Verdict.UNTRUSTED,
            "without a key ID, which gpg ignores",
        ),
        "self-signature that is not for export": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, (4, b"\0")]),
            Verdict.UNTRUSTED,
            "not for export",
        ),
        "revocation without a key ID": (
            lambda k: k.key.certificate(direct=[revocation(k, unhashed=[])]),
            Verdict.REVOKED,
            "",
        ),
        "unknown critical subpacket": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, (0x80 | 99, b"")]),
            Verdict.UNTRUSTED,
            "critical subpacket of type 99",
        ),
        "self-signature from the future": (
            lambda k: k.key.certificate(created=NOW + 1),
            Verdict.UNTRUSTED,
            "made in the future",
        ),
        "self-signature older than the key": (
            lambda k: k.key.certificate(created=k.key.created - 1),
            Verdict.UNTRUSTED,
            "older than the key",
        ),
        "expired self-signature": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(3, 5)]),
            Verdict.UNTRUSTED,
            "self-signature has expired",
        ),
        "revoked": (lambda k: k.key.certificate(direct=[revocation(k)]), Verdict.REVOKED, ""),
        "revoked as compromised": (
            lambda k: k.key.certificate(direct=[revocation(k, extra=[(29, b"\x02gone")])]),
            Verdict.REVOKED,
            "it was compromised",
        ),
        "revoked as superseded, after the signature": (
            lambda k: k.key.certificate(
                direct=[revocation(k, created=NOW - 1, extra=[(29, b"\x01")])]
            ),
            Verdict.REVOKED,
            "superseded",
        ),
        "revoked with SHA-1": (
            lambda k: k.key.certificate(direct=[revocation(k, hash_number=2)]),
            Verdict.REVOKED,
            "",
        ),
        "revoked with MD5": (
            lambda k: k.key.certificate(direct=[revocation(k, hash_number=1)]),
            Verdict.UNTRUSTED,
            "hash algorithm is not supported",
        ),
        "revoked by another key": (
            lambda k: k.key.certificate(direct=[k.other.signature(k.key.hashed, kind=0x20)]),
            Verdict.GOOD,
            "",
        ),
        "revoked by the named revoker": (
            lambda k: k.key.certificate(
                direct=[k.other.signature(k.key.hashed, kind=0x20)],
                extra=[CERTIFY_AND_SIGN, (12, b"\x80\x16" + k.other.fingerprint)],
            ),
            Verdict.REVOKED,
            "",
        ),
        "revocation of another key": (
            lambda k: k.key.certificate(direct=[k.key.signature(k.other.hashed, kind=0x20)]),
            Verdict.GOOD,
            "",
        ),
        "user ID revoked": (
            lambda k: k.key.certificate(
                more=packet(2, k.key.certification(kind=0x30, created=NOW - 10))
            ),
            Verdict.UNTRUSTED,
            "no valid user ID",
        ),
        "user ID revoked and certified again": (
            lambda k: k.key.certificate(
                more=packet(2, k.key.certification(kind=0x30, created=NOW - 10))
                + packet(2, k.key.certification(created=NOW - 9))
            ),
            Verdict.GOOD,
            "",
        ),
        "expired before the signature": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(9, 9_900)]),
            Verdict.EXPIRED,
            "after its key had expired",
        ),
        "expired after the signature": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(9, 9_901)]),
            Verdict.GOOD,
            "",
        ),
        "expired, and renewed": (
            lambda k: k.key.certificate(
                extra=[CERTIFY_AND_SIGN, time_of(9, 10)],
                more=packet(2, k.key.certification(created=NOW - 1)),
            ),
            Verdict.GOOD,
            "",
        ),
        "renewed, and then ended": (
            lambda k: k.key.certificate(
                extra=[CERTIFY_AND_SIGN, time_of(9, 99_999)],
                more=packet(
                    2,
                    k.key.certification(created=NOW - 1, extra=[CERTIFY_AND_SIGN, time_of(9, 10)]),
                ),
            ),
            Verdict.EXPIRED,
            "",
        ),
        "expired by the direct signature": (
            lambda k: k.key.certificate(
                direct=[
                    k.key.signature(
                        k.key.hashed, kind=0x1F, extra=[CERTIFY_AND_SIGN, time_of(9, 10)]
                    )
                ]
            ),
            Verdict.EXPIRED,
            "",
        ),
        "expires beyond 2106": (
            lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(9, 0xFFFFFFFF)]),
            Verdict.UNTRUSTED,
            "expires after 2106",
        ),
    }


CERTIFICATES = certificate_cases()


def subkey_cases() -> dict[str, tuple[Callable[[Keys], bytes], Verdict, str]]:
    """The primary key is ``key``, the subkey that signs is ``other``."""

    def made(
        k: Keys,
        *,
        flags: bytes | None = b"\x02",
        back: bytes | None = b"",
        more: Sequence[bytes] = (),
        **fields: Unpack[Fields],
    ) -> bytes:
        subkey = k.key.subkey(k.other, flags=flags, back=back, more=more, **fields)
        return k.key.certificate(more=subkey)

    def revocation(k: Keys) -> bytes:
        return k.key.signature(k.key.hashed + k.other.hashed, kind=0x28, created=NOW - 1)

    def back(k: Keys, by: ForgedKey, **fields: Unpack[Fields]) -> bytes:
        usual: Fields = {"kind": 0x19, "created": k.other.created}
        usual.update(fields)
        return by.signature(k.key.hashed + k.other.hashed, **usual)

    return {
        "plain": (made, Verdict.GOOD, ""),
        "not signed by the primary key": (
            lambda k: k.key.certificate(more=k.weak.subkey(k.other)),
            Verdict.UNTRUSTED,
            "its primary key has not signed it",
        ),
        "does not sign back": (
            lambda k: made(k, back=None),
            Verdict.UNTRUSTED,
            "has not signed that it belongs",
        ),
        "another key signs back": (
            lambda k: made(k, back=back(k, k.weak)),
            Verdict.UNTRUSTED,
            "has not signed that it belongs",
        ),
        "signs back as something else": (
            lambda k: made(k, back=back(k, k.other, kind=0x18)),
            Verdict.UNTRUSTED,
            "has not signed that it belongs",
        ),
        "signs back with SHA-1": (
            lambda k: made(k, back=back(k, k.other, hash_number=2)),
            Verdict.UNTRUSTED,
            "SHA-1",
        ),
        "signs back with a subpacket that gpg cannot read": (
            lambda k: made(k, back=back(k, k.other, extra=[(5, b"long")])),
            Verdict.UNTRUSTED,
            "a subpacket of type 5 with 4 bytes",
        ),
        "signs back, unprotected": (
            lambda k: made(k, back=None, unhashed=[k.key.issuer, (32, back(k, k.other))]),
            Verdict.GOOD,
            "",
        ),
        "not for signing": (
            lambda k: made(k, flags=b"\x0c"),
            Verdict.UNTRUSTED,
            "not for signing data",
        ),
        "no key flags": (lambda k: made(k, flags=None), Verdict.UNTRUSTED, "not for signing"),
        "bound with SHA-1": (lambda k: made(k, hash_number=2), Verdict.UNTRUSTED, "SHA-1"),
        "revoked": (lambda k: made(k, more=[revocation(k)]), Verdict.REVOKED, "the subkey"),
        "twice, once revoked": (
            lambda k: made(k, more=[revocation(k)]) + made(k),
            Verdict.REVOKED,
            "the subkey",
        ),
        "twice in one certificate": (
            lambda k: k.key.certificate(
                more=k.key.subkey(k.other, extra=[time_of(9, 10)]) + k.key.subkey(k.other)
            ),
            Verdict.UNTRUSTED,
            "a subkey twice",
        ),
        "primary key revoked": (
            lambda k: k.key.certificate(
                direct=[k.key.signature(k.key.hashed, kind=0x20)], more=k.key.subkey(k.other)
            ),
            Verdict.REVOKED,
            "the key",
        ),
        "expired before the signature": (
            lambda k: made(k, extra=[time_of(9, 8_900)]),
            Verdict.EXPIRED,
            "after its key had expired",
        ),
        "primary key expired before the signature": (
            lambda k: k.key.certificate(
                extra=[CERTIFY_AND_SIGN, time_of(9, 9_900)], more=k.key.subkey(k.other)
            ),
            Verdict.EXPIRED,
            "after its key had expired",
        ),
        "primary key is weak": (
            lambda k: k.weak.certificate(more=k.weak.subkey(k.other)),
            Verdict.UNTRUSTED,
            "2048 bits",
        ),
        "primary key only certifies": (
            lambda k: k.key.certificate(extra=[(27, b"\x01")], more=k.key.subkey(k.other)),
            Verdict.GOOD,
            "",
        ),
        "next to one for encryption": (
            lambda k: k.key.certificate(more=packet(14, ENCRYPTS) + k.key.subkey(k.other)),
            Verdict.GOOD,
            "",
        ),
        "with an unknown algorithm": (
            lambda k: k.key.certificate(more=packet(14, b"\x04" + bytes(4) + b"\x63unknown")),
            Verdict.UNTRUSTED,
            "no trusted key",
        ),
    }


SUBKEYS = subkey_cases()
