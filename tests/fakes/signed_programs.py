"""Programs signed by the holders of ``fakes.certificates``, and ways to forge them."""

import functools
import os
import tempfile
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from pyasn1.type import univ

from awstoe.trust.authenticode import asn1
from awstoe_signing.authenticode import sign as authenticode
from awstoe_signing.authenticode import timestamp as authenticode_timestamp
from awstoe_signing.authenticode.cms import content_info, make_signed_data
from fakes.certificates import NOW, Holder, world
from fakes.timestamp_server import Authority, Edit
from fakes.windows_program import make_program, table_of, with_checksum, with_table

DESCRIPTION = authenticode.Description("awstoe", "https://example.com/awstoe")


def honest_stamps(time: datetime = NOW) -> Authority:
    """Return the trusted timestamp authority."""
    return Authority(world().stamper, world().stamp_root.certificate, time)


def sign(
    program: bytes,
    holder: Holder | None = None,
    certificates: Sequence[x509.Certificate] | None = None,
    *,
    authority: authenticode_timestamp.Authority | None = None,
    at: datetime = NOW,
) -> bytes:
    """Sign a program with the release's own code, by default as the publisher."""
    if holder is None:
        holder, certificates = world().publisher, world().chain
    identity = authenticode.SigningIdentity(holder.signer, certificates or [holder.certificate])
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in.exe"), os.path.join(folder, "out.exe")
        with open(source, "wb") as file:
            file.write(program)
        authenticode.sign(
            source, target, identity=identity, description=DESCRIPTION, at=at, authority=authority
        )
        with open(target, "rb") as file:
            return file.read()


@functools.cache
def signed() -> bytes:
    """Return a signed program without a timestamp."""
    return sign(make_program())


@functools.cache
def stamped() -> bytes:
    """Return a signed program with a timestamp."""
    return sign(make_program(), authority=honest_stamps())


def signature_of(program: bytes) -> bytes:
    """Return the signature's DER and its padding."""
    at, size = table_of(program)
    return program[at + 8 : at + size]


def with_signature(program: bytes, signature: bytes) -> bytes:
    """Return the program with another signature in its table, and matching sizes and checksum."""
    at, size = table_of(program)
    unsigned = program[: at if size else len(program)]
    unsigned += bytes(-len(unsigned) % 8)
    body = signature + bytes(-len(signature) % 8)
    table = (8 + len(body)).to_bytes(4, "little") + bytes.fromhex("00020200") + body
    return with_checksum(with_table(unsigned, len(unsigned), len(table)) + table)


def edited(program: bytes, edit: Edit) -> bytes:
    """Return the program with changed SignedData, encoded as DER again."""
    der = signature_of(program)
    der = der[: 4 + int.from_bytes(der[2:4], "big")]
    outer = asn1.decode(der, asn1.CONTENT_INFO, "signature")
    data = asn1.decode(bytes(outer["content"]), asn1.SIGNED_DATA, "signature")
    edit(data)
    return with_signature(program, content_info(data))


def content_of(program: bytes) -> bytes:
    """Return the signed content of a program: SpcIndirectDataContent."""
    kept: list[bytes] = []
    edited(program, lambda data: kept.append(bytes(data["content"]["content"])))
    return kept[0]


def value_of(program: bytes) -> bytes:
    """Return the value of a program's signature, which a timestamp covers."""
    kept: list[bytes] = []
    edited(program, lambda data: kept.append(bytes(data["signers"][0]["signature"])))
    return kept[0]


def put_together(
    content: bytes,
    holder: Holder | None = None,
    certificates: Sequence[x509.Certificate] | None = None,
    *,
    kind: str = asn1.INDIRECT_DATA_TYPE,
    edit: Edit | None = None,
) -> bytes:
    """Return ``signed()`` with any content and signer, which the release's code does not allow."""
    if holder is None:
        holder, certificates = world().publisher, world().chain
    data: univ.Sequence = make_signed_data(
        kind,
        content,
        signer=holder.signer,
        certificates=certificates or [holder.certificate],
        attributes={},
        version=1,
    )
    if edit:
        edit(data)
    return with_signature(signed(), content_info(data))
