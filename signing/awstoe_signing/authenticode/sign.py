"""Signs Windows programs (Authenticode) with any ``Signer``, so that a key of AWS KMS can do it.

The signed file gets its name only after it is complete and verified, by the code that users verify
with. It depends only on its input: with the same RSA key, program and time, and no timestamp, it is
always the same file (ECDSA uses random numbers).

Why not osslsigncode or signtool: docs/adr/0011-own-authenticode-signatures.md.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import BinaryIO, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyasn1.type import char, univ, useful

from awstoe.errors import AwstoeError, TrustError
from awstoe.host.files.atomic_replace import AtomicReplacement
from awstoe.limits import READ_CHUNK_BYTES
from awstoe.trust.authenticode import asn1, chain, pe
from awstoe.trust.authenticode import verify as authenticode
from awstoe_signing.authenticode.cms import (
    content_info,
    encode,
    make_signed_data,
    named_digest,
    new,
)
from awstoe_signing.authenticode.timestamp import Authority
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import Signer

_PROGRAM_INFO: Final = "1.3.6.1.4.1.311.2.1.12"
_STATEMENT_TYPE: Final = "1.3.6.1.4.1.311.2.1.11"
_INDIVIDUAL_CODE_SIGNING: Final = "1.3.6.1.4.1.311.2.1.21"
_PE_IMAGE_DATA: Final = bytes.fromhex("3009030100a004a2028000")
"""SpcPeImageData: no flags, and an empty name as signtool writes it."""
_UTC_TIME_ENDS: Final = 2050
"""From this year on, times are written as GeneralizedTime (RFC 5652, 11.3)."""


class Description(NamedTuple):
    """What Windows shows about a signed program before it runs with more rights."""

    name: str
    url: str


class SigningIdentity(NamedTuple):
    """A key with its certificates."""

    signer: Signer
    certificates: Sequence[x509.Certificate]
    """The signer's first, then those up to the root, which may be left out."""


def sign(
    source: str,
    target: str,
    *,
    identity: SigningIdentity,
    description: Description,
    at: datetime,
    authority: Authority | None = None,
) -> authenticode.SignatureResult:
    """Write a signed copy of a program.

    Args:
        source: A program that is not signed.
        target: The path of the signed program; may be ``source``.
        identity: The key and certificates to sign with.
        description: What Windows shows.
        at: The time of signing, with a time zone. Only ``authority`` can prove it.
        authority: The timestamp authority.

    Returns:
        The verification result of a user who trusts these certificates and ``authority``.

    Raises:
        SigningFailure: The program cannot be signed. Nothing was written.
    """
    try:
        with AtomicReplacement(target) as replacement:
            with open(source, "rb") as program:
                os.chmod(replacement.descriptor, os.fstat(program.fileno()).st_mode & 0o777)
                verdict = _sign(program, replacement, identity, description, at, authority)
            os.fsync(replacement.descriptor)
            replacement.commit(keep_old_attributes=False)
    except SigningFailure:
        raise
    except AwstoeError as error:
        raise SigningFailure(f"{source} is not signed: {error.message}") from error
    except OSError as error:
        raise SigningFailure(
            f"{source} is not signed: {error.filename or target}: {error.strerror}"
        ) from error
    return verdict


def _sign(
    program: BinaryIO,
    replacement: AtomicReplacement,
    identity: SigningIdentity,
    description: Description,
    at: datetime,
    authority: Authority | None,
) -> authenticode.SignatureResult:
    headers = pe.read_headers(program)
    if headers.table_size:
        raise TrustError("it is signed already")
    chain.check_signer(identity.certificates[0], chain.CODE_SIGNING)
    chain.check_time(identity.certificates[0], at)
    padding = bytes(-headers.file_size % pe.TABLE_ALIGNMENT)
    digest = hashlib.sha256()
    pe.hash_program(program, headers, digest)
    digest.update(padding)
    table = _table(digest.digest(), identity, description, at, authority)

    program.seek(len(headers.headers))
    replacement.write(_patched(headers, headers.file_size + len(padding), len(table), 0))
    while piece := program.read(READ_CHUNK_BYTES):
        replacement.write(piece)
    replacement.write(padding + table)
    with open(os.dup(replacement.descriptor), "r+b") as staged:
        signed = pe.read_headers(staged)
        checksum = pe.hash_program(staged, signed, hashlib.sha256())
        staged.seek(0)
        staged.write(_patched(headers, signed.table_at, signed.table_size, checksum))
        staged.flush()
        return _verified(staged, identity, at, authority)


def _patched(headers: pe.PeFile, at: int, size: int, checksum: int) -> bytes:
    """Return the headers with the table's position and the checksum filled in."""
    data = bytearray(headers.headers)
    data[headers.checksum_at : headers.checksum_at + 4] = checksum.to_bytes(4, "little")
    data[headers.security_at :] = at.to_bytes(4, "little") + size.to_bytes(4, "little")
    return bytes(data)


def _verified(
    staged: BinaryIO, identity: SigningIdentity, at: datetime, authority: Authority | None
) -> authenticode.SignatureResult:
    verdict = authenticode.verify_file(
        staged,
        trusted=identity.certificates[-1:],
        thumbprints=[identity.certificates[0].fingerprint(hashes.SHA256()).hex()],
        timestamp_authorities=authority.roots if authority else (),
        now=at,
    )
    if verdict.state is not authenticode.State.GOOD:
        raise TrustError(f"the new signature does not verify: {verdict.reason}")
    return verdict


def _table(
    digest: bytes,
    identity: SigningIdentity,
    description: Description,
    at: datetime,
    authority: Authority | None,
) -> bytes:
    content = new(asn1.INDIRECT_DATA)
    content["data"]["algorithm"] = asn1.PE_IMAGE
    content["data"]["parameters"] = _PE_IMAGE_DATA
    content["digest"] = named_digest(digest)
    data = make_signed_data(
        asn1.INDIRECT_DATA_TYPE,
        encode(content),
        signer=identity.signer,
        certificates=identity.certificates,
        attributes={
            _PROGRAM_INFO: _program_info(description),
            _STATEMENT_TYPE: encode(_statement_type()),
            asn1.SIGNING_TIME: _time(at),
        },
        version=1,
    )
    if authority is not None:
        signer_info = data["signers"][0]
        token = authority.stamp(bytes(signer_info["signature"]), at)
        signer_info["unsigned"][0]["type"] = asn1.TIME_STAMP
        signer_info["unsigned"][0]["values"][0] = token
    signature = content_info(data)
    signature += bytes(-len(signature) % pe.TABLE_ALIGNMENT)
    header = pe.ENTRY_HEADER.pack(
        pe.ENTRY_HEADER.size + len(signature),
        pe.REVISION_2,
        pe.PKCS_SIGNED_DATA,
    )
    return header + signature


def _statement_type() -> univ.SequenceOf:
    value = asn1.sequence_of(univ.ObjectIdentifier())
    value[0] = _INDIVIDUAL_CODE_SIGNING
    return value


def _program_info(description: Description) -> bytes:
    """Return SpcSpOpusInfo: the name as UTF-16, the page as a link."""
    if not description.url.isascii():
        raise SigningFailure(
            f"the page {description.url!r} has characters that are not ASCII: nothing signed",
            hint="write it as browsers send it, with xn-- and %",
        )
    name = asn1.explicit(0, _tagged_string(char.BMPString(description.name)))
    more = asn1.explicit(1, _tagged_string(char.IA5String(description.url)))
    value = asn1.sequence(asn1.field("name", name), asn1.field("more", more))
    value["name"] = name
    value["more"] = more
    return encode(value)


def _tagged_string(text: char.AbstractCharacterString) -> char.AbstractCharacterString:
    return asn1.implicit(0, text)


def _time(at: datetime) -> bytes:
    utc = at.astimezone(UTC)
    if utc.year < _UTC_TIME_ENDS:
        return encode(useful.UTCTime(f"{utc:%y%m%d%H%M%SZ}"))
    return encode(useful.GeneralizedTime(f"{utc:%Y%m%d%H%M%SZ}"))
