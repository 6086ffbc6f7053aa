"""Verifies Authenticode, the signature inside a Windows program, the same on every platform.

A program is good if its one signature was made with a trusted certificate, covers every byte, and
was made while the certificate was valid: at the time of a timestamp by a trusted authority, or else
now. A certificate is trusted if its chain ends at a given root, or if its thumbprint is given. If
both are given, both must match; if neither is, no program is good.

In a good file, every byte of the program follows from what was signed. In the table of signatures
some bytes can differ without a key: docs/adr/0011-own-authenticode-signatures.md lists them.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyasn1.type import univ

from awstoe.errors import HostError, TrustError
from awstoe.trust.authenticode import asn1, chain, cms, pe, timestamp

_WHAT: Final = "signature"
_WHOLE: Final = ((), (1,))
"""Flags as signtool and osslsigncode write them: none, or that resources are included."""
_SERIALIZED: Final = b"\xa1"
"""Tag of SpcSerializedObject, which contains the hashes of pages."""
_NO_LINKS: Final = (
    bytes.fromhex("a2028000"),
    bytes.fromhex("a21e801c") + "<<<Obsolete>>>".encode("utf-16-be"),
)
"""SpcLink as signtool and osslsigncode write it: an empty name, or this one."""
_HEX: Final = re.compile(r"(?:[0-9A-F]{40}|[0-9A-F]{64})", re.ASCII)


class State(StrEnum):
    """The verdict on a file."""

    GOOD = "good"
    UNTRUSTED = "untrusted"
    """The file is what was signed, but the certificate is not trusted, has expired, or violates a
    rule."""
    BAD = "bad"
    """The file is not what was signed, or the signature violates a rule."""
    UNSIGNED = "unsigned"
    """A Windows program without a signature."""
    OTHER = "other"
    """Not a Windows program."""


class SignatureResult(NamedTuple):
    """The verdict, and the details."""

    state: State
    reason: str | None = None
    """Why it is not good."""
    signer: str | None = None
    """The subject of the certificate; it can be trusted only if the state is good."""
    thumbprint: str | None = None
    """SHA-1 of the signer's certificate, in pairs of digits as Windows and the user guide show."""
    fingerprint: str | None = None
    """SHA-256 of the signer's certificate, 64 digits."""
    signed_at: datetime | None = None
    """The time of a trusted timestamp."""
    stamped_by: str | None = None
    """The authority of that timestamp."""
    warnings: tuple[str, ...] = ()


class TrustedPublisher(NamedTuple):
    """The certificates to trust."""

    roots: Sequence[x509.Certificate]
    """Certificates at which a signer's chain may end."""
    signers: frozenset[str]
    """Thumbprints of signers' certificates, SHA-1 or SHA-256, in upper case."""
    timestamp_authorities: Sequence[x509.Certificate]
    """Certificates at which a timestamp's chain may end."""


def verify(
    path: str,
    *,
    trusted: Sequence[x509.Certificate] = (),
    thumbprints: Collection[str] = (),
    timestamp_authorities: Sequence[x509.Certificate] = (),
    now: datetime,
) -> SignatureResult:
    """Verify a program's signature.

    Args:
        path: The file.
        trusted: Certificates at which a signer's chain may end.
        thumbprints: Thumbprints of signers' certificates: SHA-1 (40 digits) or SHA-256 (64 digits);
            spaces and colons are ignored. If ``trusted`` is given too, a signer must match both.
        timestamp_authorities: Certificates at which a timestamp's chain may end.
        now: An aware time.

    Raises:
        HostError: The file cannot be read.
        ValueError: A thumbprint is malformed.
    """
    try:
        with open(path, "rb") as file:
            return verify_file(
                file,
                trusted=trusted,
                thumbprints=thumbprints,
                timestamp_authorities=timestamp_authorities,
                now=now,
            )
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error


def verify_file(
    file: BinaryIO,
    *,
    trusted: Sequence[x509.Certificate] = (),
    thumbprints: Collection[str] = (),
    timestamp_authorities: Sequence[x509.Certificate] = (),
    now: datetime,
) -> SignatureResult:
    """Do the same as ``verify`` for an open file, which must be seekable."""
    publisher = TrustedPublisher(
        trusted, frozenset(map(_normalized, thumbprints)), timestamp_authorities
    )
    if not pe.is_program(file):
        return SignatureResult(State.OTHER, "this is not a Windows program")
    signature: cms.Signature | None = None
    try:
        program = pe.read_headers(file)
        if not program.table_size:
            return SignatureResult(State.UNSIGNED, "this Windows program is not signed")
        signature = cms.read(pe.read_signature(file, program), what=_WHAT, version=1)
        result = _check(file, program, signature, publisher, now)
    except TrustError as error:
        result = SignatureResult(State.BAD, error.message)
    return _with_signer(result, signature)


def thumbprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-1 of a certificate as Windows shows it: ``FC B6 AC …``.

    It identifies a certificate in messages; no signature may use SHA-1.
    """
    return certificate.fingerprint(hashes.SHA1()).hex(" ").upper()  # noqa: S303 - an identifier


def _normalized(thumbprint: str) -> str:
    digits = re.sub(r"[\s:]", "", thumbprint).upper()
    if not _HEX.fullmatch(digits):
        raise ValueError(
            f"expected a thumbprint of 40 or 64 hexadecimal digits, got {thumbprint!r}"
        )
    return digits


def _with_signer(result: SignatureResult, signature: cms.Signature | None) -> SignatureResult:
    if signature is None:
        return result
    certificate = signature.certificate
    return result._replace(
        signer=chain.name_of(certificate),
        thumbprint=thumbprint_of(certificate),
        fingerprint=chain.sha256_of(certificate),
    )


def _check(
    file: BinaryIO,
    program: pe.PeFile,
    signature: cms.Signature,
    publisher: TrustedPublisher,
    now: datetime,
) -> SignatureResult:
    """Check everything: first the signature itself, then the file, then the signer.

    Raises:
        TrustError: The program is not what was signed, or the signature violates a rule.
    """
    if unknown := set(signature.others) - {asn1.TIME_STAMP}:
        raise TrustError(
            f"the signature has an unsigned attribute other than a timestamp: {min(unknown)}"
        )
    cms.check(signature)
    stamp = _read_stamp(signature)
    _check_file(file, program, signature)
    try:
        return _check_signer(signature, stamp, publisher, now)
    except TrustError as error:
        return SignatureResult(State.UNTRUSTED, error.message)


def _check_signer(
    signature: cms.Signature,
    stamp: timestamp.TimeStamp | None,
    publisher: TrustedPublisher,
    now: datetime,
) -> SignatureResult:
    """Check that the signer is trusted.

    Raises:
        TrustError: It is not.
    """
    warnings: list[str] = []
    at, authority = now, None
    if stamp is not None and (authority := _trusted_authority(stamp, publisher, warnings)):
        at = stamp.time
        if stamp.time > now:
            warnings.append(f"the timestamp is in the future: {stamp.time:%Y-%m-%d %H:%M:%S} UTC")
    certificate = signature.certificate
    if chain.is_for_lifetime(certificate):
        at = now
    _check_trusted(signature, publisher, at)
    if now > certificate.not_valid_after_utc:
        warnings.append(
            f"the certificate has expired ({certificate.not_valid_after_utc:%Y-%m-%d}),"
            " after the signature was made"
        )
    return SignatureResult(
        State.GOOD,
        signed_at=stamp.time if stamp and authority else None,
        stamped_by=authority,
        warnings=tuple(warnings),
    )


def _read_stamp(signature: cms.Signature) -> timestamp.TimeStamp | None:
    token = signature.others.get(asn1.TIME_STAMP)
    return None if token is None else timestamp.read(token, signature.value)


def _trusted_authority(
    stamp: timestamp.TimeStamp, publisher: TrustedPublisher, warnings: list[str]
) -> str | None:
    """Return the name of a timestamp's authority; None if no authorities are known."""
    name = chain.name_of(stamp.certificate)
    if not publisher.timestamp_authorities:
        found = chain.without_roots(stamp.certificate, stamp.certificates, chain.TIME_STAMPING)
        _check_all_used(stamp.certificates, found, timestamp.WHAT)
        warnings.append(f'the timestamp by "{name}" is ignored: no such authority is known')
        return None
    found = chain.find(
        stamp.certificate,
        stamp.certificates,
        publisher.timestamp_authorities,
        chain.TIME_STAMPING,
        stamp.time,
    )
    _check_all_used(stamp.certificates, found, timestamp.WHAT)
    return name


def _check_trusted(signature: cms.Signature, publisher: TrustedPublisher, at: datetime) -> None:
    certificate, embedded = signature.certificate, signature.certificates
    if not publisher.roots and not publisher.signers:
        raise TrustError("no certificate is trusted here, so no signature can be good")
    if publisher.roots:
        found = chain.find(certificate, embedded, publisher.roots, chain.CODE_SIGNING, at)
    else:
        found = chain.without_roots(certificate, embedded, chain.CODE_SIGNING)
        chain.check_time(certificate, at)
    _check_all_used(embedded, found, _WHAT)
    prints = {
        certificate.fingerprint(each()).hex().upper() for each in (hashes.SHA1, hashes.SHA256)
    }
    if publisher.signers and publisher.signers.isdisjoint(prints):
        raise TrustError(
            f"the signer's certificate has thumbprint {thumbprint_of(certificate)},"
            " which is not a published one"
        )


def _check_all_used(
    embedded: Iterable[x509.Certificate], found: Collection[x509.Certificate], what: str
) -> None:
    """Reject certificates that no signature covers: they could contain anything."""
    for certificate in embedded:
        if certificate not in found:
            raise TrustError(
                f"the {what} contains a certificate that is not part of its chain:"
                f' "{chain.name_of(certificate)}"'
            )


def _check_image_data(encoded: univ.Any) -> None:
    """Check SpcPeImageData, which must say nothing about the program.

    Raises:
        TrustError: It contains something else, such as hashes of pages, which are not checked here.
    """
    what = f"{_WHAT}'s description of the program"
    image = asn1.decode(bytes(encoded) if encoded.isValue else b"", asn1.PE_IMAGE_DATA, what)
    if tuple(image["flags"]) not in _WHOLE:
        raise TrustError("the signature is of parts of the program")
    if bytes(image["file"])[:1] == _SERIALIZED:
        raise TrustError("the signature has hashes of pages, which are not supported")
    if bytes(image["file"]) not in _NO_LINKS:
        raise TrustError("the signature has a link to another file")


def _check_file(file: BinaryIO, program: pe.PeFile, signature: cms.Signature) -> None:
    """Check that the signature is of this file.

    Raises:
        TrustError: It is of another file.
    """
    if signature.kind != asn1.INDIRECT_DATA_TYPE:
        raise TrustError("the signature is of something other than a program")
    signed = asn1.decode(signature.content, asn1.INDIRECT_DATA, _WHAT)
    if str(signed["data"]["algorithm"]) != asn1.PE_IMAGE:
        raise TrustError("the signature is of another type of file")
    hash_name = cms.read_hash_name(signed["digest"]["algorithm"], _WHAT)
    _check_image_data(signed["data"]["parameters"])
    digest = hashes.Hash(cms.HASHES[hash_name]())
    checksum = pe.hash_program(file, program, digest)
    if digest.finalize() != bytes(signed["digest"]["digest"]):
        raise TrustError("the program was altered after it was signed, or is another program")
    if program.checksum != checksum:
        raise TrustError(
            f"the program's checksum is {program.checksum:#010x}, expected {checksum:#010x}"
        )
