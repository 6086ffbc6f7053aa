"""Attacks with key files and signatures that an attacker has rearranged or altered without a key.

gpg is the judge of what must not be accepted. It puts some of them right, and some attacks fool it
too: those say so.
"""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Unpack

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from awstoe.errors import TrustError
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import Verdict
from fakes.gnupg import GPG, gpg
from fakes.openpgp_forge import (
    CERTIFY_AND_SIGN,
    NOW,
    Fields,
    ForgedKey,
    Subpackets,
    mpi,
    packet,
    time_of,
)
from fakes.openpgp_packets import altered, bodies, with_value

DATA = b"the program\n"
LATER = NOW - 50


class Keys(NamedTuple):
    key: ForgedKey
    other: ForgedKey
    rsa: bool


class Attack(NamedTuple):
    keys: Callable[[Keys], bytes]
    verdict: Verdict
    signature: Callable[[Keys], bytes] = lambda k: packet(2, k.key.signature(DATA))
    gpg_accepts_it: bool = False


@pytest.fixture(scope="module", params=["RSA", "Ed25519"])
def keys(request: pytest.FixtureRequest) -> Keys:
    other = ForgedKey(ed25519.Ed25519PrivateKey.generate(), NOW - 9_000)
    if request.param == "RSA":
        return Keys(ForgedKey(rsa.generate_private_key(65537, 3072)), other, rsa=True)
    return Keys(ForgedKey(ed25519.Ed25519PrivateKey.generate()), other, rsa=False)


def revocation(k: Keys, **fields: Unpack[Fields]) -> bytes:
    usual: Fields = {"kind": 0x20, "created": LATER}
    usual.update(fields)
    return k.key.signature(k.key.hashed, **usual)


def direct(k: Keys, extra: Subpackets) -> bytes:
    return k.key.signature(k.key.hashed, kind=0x1F, extra=extra)


def ended(k: Keys, **fields: Unpack[Fields]) -> bytes:
    """Return a newer self-signature, by which the key expired before it signed."""
    usual: Fields = {"created": LATER, "extra": [CERTIFY_AND_SIGN, time_of(9, 10)]}
    usual.update(fields)
    return k.key.certification(**usual)


def subkey_revocation(k: Keys, **fields: Unpack[Fields]) -> bytes:
    usual: Fields = {"kind": 0x28, "created": LATER}
    usual.update(fields)
    return k.key.signature(k.key.hashed + k.other.hashed, **usual)


def by_subkey(k: Keys) -> bytes:
    return packet(2, k.other.signature(DATA))


def after_key(k: Keys) -> bytes:
    return k.key.certificate()[len(packet(6, k.key.body)) :]


def back(k: Keys, created: int) -> bytes:
    return k.other.signature(k.key.hashed + k.other.hashed, kind=0x19, created=created)


def same_value(k: Keys, body: bytes) -> bytes:
    """Return the signature with a number that is the same to a lenient program."""
    if k.rsa:
        private = k.key.private
        assert isinstance(private, rsa.RSAPrivateKey)
        modulus = private.public_key().public_numbers().n
        return with_value(body, lambda numbers: mpi(numbers[0] + modulus))
    order = 2**252 + 27742317777372353535851937790883648493
    return with_value(
        body,
        lambda numbers: (
            mpi(numbers[0])
            + mpi(int.from_bytes((reversed_of(numbers[1]) + order).to_bytes(32, "little")))
        ),
    )


def reversed_of(number: int) -> int:
    return int.from_bytes(number.to_bytes(32), "little")


ELSEWHERE = [(16, b"elsewher")]

ATTACKS: dict[str, Attack] = {
    # --- what takes a key back, moved away from it ------------------------------------------
    "revocation after everything": Attack(
        lambda k: k.key.certificate(more=packet(2, revocation(k))), Verdict.REVOKED
    ),
    "revocation after a subkey": Attack(
        lambda k: k.key.certificate(more=k.key.subkey(k.other) + packet(2, revocation(k))),
        Verdict.REVOKED,
    ),
    "revocation after another certificate": Attack(
        lambda k: k.key.certificate() + packet(6, k.key.body) + packet(2, revocation(k)),
        Verdict.REVOKED,
    ),
    "revocation of a subkey after the user ID": Attack(
        lambda k: k.key.certificate(more=packet(2, subkey_revocation(k)) + k.key.subkey(k.other)),
        Verdict.REVOKED,
        by_subkey,
    ),
    "revocation of a subkey after another subkey": Attack(
        lambda k: k.key.certificate(
            more=k.key.subkey(k.other)
            + k.key.subkey(ForgedKey(k.other.private, NOW - 8_000))
            + packet(2, subkey_revocation(k))
        ),
        Verdict.REVOKED,
        by_subkey,
    ),
    "end of a key after a subkey": Attack(
        lambda k: k.key.certificate(more=k.key.subkey(k.other) + packet(2, ended(k))),
        Verdict.UNTRUSTED,
    ),
    "end of a key before the user ID": Attack(
        lambda k: k.key.certificate(direct=[ended(k)]), Verdict.UNTRUSTED
    ),
    "direct end of a key after the user ID": Attack(
        lambda k: k.key.certificate(
            more=packet(2, direct(k, extra=[CERTIFY_AND_SIGN, time_of(9, 10)]))
        ),
        Verdict.UNTRUSTED,
    ),
    "end of a subkey after another subkey": Attack(
        lambda k: k.key.certificate(
            more=k.key.subkey(k.other)
            + k.key.subkey(
                ForgedKey(k.other.private, NOW - 8_000),
                more=bodies(k.key.subkey(k.other, created=LATER, extra=[time_of(9, 10)])),
            )
        ),
        Verdict.UNTRUSTED,
        by_subkey,
    ),
    # --- what takes a key back, with other unprotected bytes ---------------------------------
    "revocation that names another key": Attack(
        lambda k: k.key.certificate(
            direct=[revocation(k, hashed=[time_of(2, LATER)], unhashed=ELSEWHERE)]
        ),
        Verdict.REVOKED,
        gpg_accepts_it=True,
    ),
    "revocation that names a second key": Attack(
        lambda k: k.key.certificate(direct=[revocation(k, unhashed=[k.key.issuer, *ELSEWHERE])]),
        Verdict.REVOKED,
    ),
    "revocation with another start of the digest": Attack(
        lambda k: k.key.certificate(direct=[altered(revocation(k), "digest start")]),
        Verdict.REVOKED,
    ),
    "revocation with trailing bytes": Attack(
        lambda k: k.key.certificate(direct=[revocation(k) + b"\0"]), Verdict.UNTRUSTED
    ),
    "revocation with the same number in another form": Attack(
        lambda k: k.key.certificate(direct=[same_value(k, revocation(k))]),
        Verdict.REVOKED,
        gpg_accepts_it=True,
    ),
    "revocation of version 3 that names another key": Attack(
        lambda k: k.key.certificate(
            direct=[k.key.old_signature(k.key.hashed, 0x20, LATER, b"elsewher")]
        ),
        Verdict.REVOKED,
        gpg_accepts_it=True,
    ),
    "end of a key that names another key": Attack(
        lambda k: k.key.certificate(
            more=packet(
                2,
                k.key.certification(
                    hashed=[time_of(2, LATER), (27, b"\x01")], unhashed=ELSEWHERE
                ),
            )
        ),
        Verdict.UNTRUSTED,
        gpg_accepts_it=True,
    ),
    "end of a key without its key ID": Attack(
        lambda k: k.key.certificate(more=packet(2, ended(k, unhashed=[]))),
        Verdict.UNTRUSTED,
        gpg_accepts_it=True,
    ),
    "end of a key with another start of the digest": Attack(
        lambda k: k.key.certificate(more=packet(2, altered(ended(k), "digest start"))),
        Verdict.UNTRUSTED,
    ),
    "two self-signatures of one second, the permission last": Attack(
        lambda k: k.key.certificate(
            created=LATER,
            extra=[(27, b"\x01")],
            more=packet(2, k.key.certification(created=LATER)),
        ),
        Verdict.UNTRUSTED,
        gpg_accepts_it=True,
    ),
    "revocation by the named revoker that names another key": Attack(
        lambda k: k.key.certificate(
            direct=[
                direct(k, extra=[CERTIFY_AND_SIGN, (12, b"\x80\x16" + k.other.fingerprint)]),
                k.other.signature(
                    k.key.hashed, kind=0x20, hashed=[time_of(2, LATER)], unhashed=ELSEWHERE
                ),
            ]
        ),
        Verdict.REVOKED,
        gpg_accepts_it=True,
    ),
    # --- what gpg does not accept -------------------------------------------------------------
    "signature that names its key only in an unprotected fingerprint": Attack(
        lambda k: k.key.certificate(),
        Verdict.BAD,
        lambda k: packet(
            2,
            k.key.signature(
                DATA, hashed=[time_of(2, LATER)], unhashed=[k.key.issuer_fingerprint]
            ),
        ),
    ),
    "self-signature that gpg does not import": Attack(
        lambda k: k.key.certificate(extra=[CERTIFY_AND_SIGN, (4, b"\0")]), Verdict.UNTRUSTED
    ),
    "user ID of 2049 bytes": Attack(
        lambda k: k.key.certificate(user=b"a" * 2049), Verdict.UNTRUSTED
    ),
    "user ID of 2048 bytes": Attack(
        lambda k: k.key.certificate(user=b"a" * 2048), Verdict.UNTRUSTED
    ),
    "certification before its user ID": Attack(
        lambda k: packet(6, k.key.body) + packet(2, k.key.certification()) + packet(13, b"other")
        + packet(2, k.key.certification(b"other")),
        Verdict.UNTRUSTED,
    ),
    "user ID after a subkey": Attack(
        lambda k: packet(6, k.key.body) + k.key.subkey(k.other) + after_key(k),
        Verdict.UNTRUSTED,
    ),
    "subkey signed by the user ID's certification": Attack(
        lambda k: packet(6, k.key.body) + k.key.subkey(k.other) + after_key(k),
        Verdict.UNTRUSTED,
        by_subkey,
    ),
    "certification after a subkey, which gpg puts right": Attack(
        lambda k: packet(6, k.key.body) + packet(13, b"u") + k.key.subkey(k.other)
        + packet(2, k.key.certification(b"u")),
        Verdict.UNTRUSTED,
        gpg_accepts_it=True,
    ),
    "binding after the wrong subkey, which gpg puts right": Attack(
        lambda k: k.key.certificate(
            more=packet(14, k.other.body)
            + k.key.subkey(
                ForgedKey(k.other.private, NOW - 8_000), more=bodies(k.key.subkey(k.other))
            )
        ),
        Verdict.UNTRUSTED,
        by_subkey,
        gpg_accepts_it=True,
    ),
    "subkey whose newest signature back is not valid": Attack(
        lambda k: k.key.certificate(
            more=k.key.subkey(
                k.other,
                back=back(k, k.other.created),
                unhashed=[k.key.issuer, (32, altered(back(k, LATER), "value"))],
            )
        ),
        Verdict.UNTRUSTED,
        by_subkey,
    ),
    "revoked key that another certificate has as a subkey": Attack(
        lambda k: k.other.certificate(more=k.other.subkey(k.key))
        + k.key.certificate(direct=[revocation(k)]),
        Verdict.REVOKED,
        gpg_accepts_it=True,
    ),
}  # fmt: skip
UNREADABLE: dict[str, bytes] = {
    "signature of version 5": packet(2, b"\x05" + bytes(30)),
    "signature of version 6": packet(2, b"\x06" + bytes(30)),
    "signature that ends within its number": packet(
        2, b"\x04\x10\x01\x08" + bytes(4) + b"ab\x08\x00" + bytes(20)
    ),
    "short subkey": packet(14, b"\x04" + bytes(4) + b"\x63"),
    "subkey of version 3": packet(14, b"\x03" + bytes(20)),
    "subkey of version 6": packet(14, b"\x06" + bytes(20)),
    "subkey that ends within its number": packet(
        14, b"\x04" + bytes(4) + b"\x01\x0c\x00" + bytes(9)
    ),
}  # fmt: skip


def verdict(signature: bytes, keys: bytes) -> Verdict:
    try:
        trusted = keyring.read(keys, "keys")
    except TrustError:
        return Verdict.UNTRUSTED
    return openpgp.verify(io.BytesIO(DATA), signature, trusted, now=NOW).deciding.verdict


def gpg_accepts(signature: bytes, keys: bytes, folder: Path) -> bool:
    (folder / "sig").write_bytes(signature)
    (folder / "file").write_bytes(DATA)
    with gpg() as program:
        program.take(keys, NOW)
        result = program.run("--verify", folder / "sig", folder / "file", now=NOW)
        return result.returncode == 0 and b" GOODSIG " in result.stderr


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_on_a_certificate(name: str, keys: Keys, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    signature, ring = attack.signature(keys), attack.keys(keys)
    assert verdict(signature, ring) is attack.verdict
    if GPG and not attack.gpg_accepts_it:
        assert not gpg_accepts(signature, ring, tmp_path)


@pytest.mark.skipif(GPG is None, reason="gpg is not installed")
def test_revocation_appended_to_the_key_that_gpg_made(tmp_path: Path) -> None:
    """As ``cat key.gpg revocation.gpg`` does."""
    file, signature = tmp_path / "file", tmp_path / "file.sig"
    file.write_bytes(DATA)
    with gpg() as program:
        fingerprint = program.make_key("AWSTOE <a@example.com>", "ed25519", "sign")
        program.run("--output", signature, "--detach-sign", file)
        key = program.export()
        made = (program.home / f"openpgp-revocs.d/{fingerprint}.rev").read_bytes()
        revoked = program.run("--dearmor", data=made.replace(b"\n:---", b"\n---")).stdout
    now = int(time.time()) + 5
    for ring, expected in ((key, Verdict.GOOD), (key + revoked, Verdict.REVOKED)):
        trusted = keyring.read(ring, "keys")
        result = openpgp.verify(io.BytesIO(DATA), signature.read_bytes(), trusted, now=now)
        assert result.deciding.verdict is expected


@pytest.mark.parametrize("name", UNREADABLE)
def test_key_after_a_packet_that_gpg_cannot_read(name: str, keys: Keys, tmp_path: Path) -> None:
    ring = keys.other.certificate(more=UNREADABLE[name]) + keys.key.certificate()
    signature = packet(2, keys.key.signature(DATA))
    assert verdict(signature, ring) is Verdict.UNTRUSTED
    if GPG:
        assert not gpg_accepts(signature, ring, tmp_path)
