"""Authenticode: the signature within a Windows program, verified the same on every platform.

A program is good when its one signature is by a certificate that is trusted, speaks for every byte,
and was made while the certificate was valid: at the time of a stamp by a trusted authority, or else
now. Trusted are chains to given certificates, or signers' certificates by their thumbprints, or
both at once when both are given. With nothing given, nothing is good.

Every byte of a file that is found good through a chain to a given certificate is determined by what
was signed: the program, the checksum, the table, the certificates, the time stamp. There is one
exception. A stamp whose authority is not known is not relied on; the last of its certificates might
have been altered.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from awstoe.errors import HostError, TrustError
from awstoe.trust.authenticode import asn1, chain, cms, pe, timestamp

_WHAT: Final = "signature"
_HEX: Final = re.compile(r"(?:[0-9A-F]{40}|[0-9A-F]{64})", re.ASCII)


class State(StrEnum):
    """What is known about a file after looking."""

    GOOD = "good"
    UNTRUSTED = "untrusted"
    """The file is what was signed, but by nobody who counts: a certificate that is not known, is
    over, or breaks a rule."""
    BAD = "bad"
    """The file is not what was signed, or the signature breaks a rule."""
    UNSIGNED = "unsigned"
    """A Windows program without a signature."""
    OTHER = "other"
    """No Windows program: nothing to say about it."""


class SignatureResult(NamedTuple):
    """What was found, and why."""

    state: State
    reason: str | None = None
    """Why it is not good."""
    signer: str | None = None
    """Whom the certificate is for; to be believed only when the state is good."""
    thumbprint: str | None = None
    """SHA-1 of the signer's certificate, in pairs of digits as Windows and the user guide show."""
    fingerprint: str | None = None
    """SHA-256 of the same, 64 digits."""
    signed_at: datetime | None = None
    """When the signature was there already, by a trusted time stamp."""
    stamped_by: str | None = None
    """Whose time stamp that is."""
    warnings: tuple[str, ...] = ()


class TrustedPublisher(NamedTuple):
    """Whom to believe."""

    roots: Sequence[x509.Certificate]
    """Certificates that a signer's chain may end at."""
    signers: frozenset[str]
    """Thumbprints of signers' certificates, SHA-1 or SHA-256, in upper case."""
    stampers: Sequence[x509.Certificate]
    """Certificates that the chain of a time stamp's authority may end at."""


def verify(
    path: str,
    *,
    trusted: Sequence[x509.Certificate] = (),
    thumbprints: Collection[str] = (),
    stampers: Sequence[x509.Certificate] = (),
    now: datetime,
) -> SignatureResult:
    """Verify a program's signature.

    Args:
        path: The file.
        trusted: Certificates that a signer's chain may end at.
        thumbprints: Of signers' certificates: SHA-1 (40 digits) or SHA-256 (64); spaces and colons
            do not count. Given together with ``trusted``, a signer needs both.
        stampers: Certificates that the chain of a time stamp's authority may end at.
        now: An aware time.

    Raises:
        HostError: The file cannot be read.
        ValueError: A thumbprint is none.
    """
    try:
        with open(path, "rb") as file:
            return verify_file(
                file, trusted=trusted, thumbprints=thumbprints, stampers=stampers, now=now
            )
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error


def verify_file(
    file: BinaryIO,
    *,
    trusted: Sequence[x509.Certificate] = (),
    thumbprints: Collection[str] = (),
    stampers: Sequence[x509.Certificate] = (),
    now: datetime,
) -> SignatureResult:
    """The same as ``verify``, of an open file that can seek."""
    whom = TrustedPublisher(trusted, frozenset(map(_normal, thumbprints)), stampers)
    if not pe.is_program(file):
        return SignatureResult(State.OTHER, "this is no Windows program")
    signature: cms.Signature | None = None
    try:
        program = pe.read_headers(file)
        if not program.table_size:
            return SignatureResult(State.UNSIGNED, "this Windows program is not signed")
        signature = cms.read(pe.read_signature(file, program), what=_WHAT, version=1)
        checked = _check(file, program, signature, whom, now)
    except TrustError as error:
        return _described(SignatureResult(State.BAD, error.message), signature)
    return _described(checked, signature)


def thumbprint_of(certificate: x509.Certificate) -> str:
    """The SHA-1 of a certificate as Windows shows it: ``FC B6 AC …``.

    It names a certificate for a person; a signature is never made with SHA-1.
    """
    return certificate.fingerprint(hashes.SHA1()).hex(" ").upper()  # noqa: S303


def _normal(thumbprint: str) -> str:
    digits = re.sub(r"[\s:]", "", thumbprint).upper()
    if not _HEX.fullmatch(digits):
        raise ValueError(
            f"expected a thumbprint of 40 or 64 hexadecimal digits, got {thumbprint!r}"
        )
    return digits


def _described(verdict: SignatureResult, signature: cms.Signature | None) -> SignatureResult:
    if signature is None:
        return verdict
    certificate = signature.certificate
    return verdict._replace(
        signer=chain.name_of(certificate),
        thumbprint=thumbprint_of(certificate),
        fingerprint=chain.sha256_of(certificate),
    )


def _check(
    file: BinaryIO,
    program: pe.PeFile,
    signature: cms.Signature,
    trusted: TrustedPublisher,
    now: datetime,
) -> SignatureResult:
    """Check everything: first the signature in itself, then the file, then who signed.

    Raises:
        TrustError: The program is not what was signed, or the signature breaks a rule.
    """
    if unknown := set(signature.others) - {asn1.TIME_STAMP}:
        raise TrustError(f"the signature carries something besides a time stamp: {min(unknown)}")
    cms.check(signature)
    stamp = _read_stamp(signature)
    _check_file(file, program, signature)
    try:
        return _judge_signer(signature, stamp, trusted, now)
    except TrustError as error:
        return SignatureResult(State.UNTRUSTED, error.message)


def _judge_signer(
    signature: cms.Signature,
    stamp: timestamp.TimeStamp | None,
    trusted: TrustedPublisher,
    now: datetime,
) -> SignatureResult:
    """Say that the signer counts.

    Raises:
        TrustError: He does not.
    """
    warnings: list[str] = []
    at, stamper = now, None
    if stamp is not None and (stamper := _trusted_stamper(stamp, trusted, warnings)):
        at = stamp.time
        if stamp.time > now:
            warnings.append(
                f"the time stamp lies in the future: {stamp.time:%Y-%m-%d %H:%M:%S} UTC"
            )
    certificate = signature.certificate
    if chain.is_for_lifetime(certificate):
        at = now
    _check_trusted(signature, trusted, at)
    if now > certificate.not_valid_after_utc:
        warnings.append(
            f"the certificate has expired ({certificate.not_valid_after_utc:%Y-%m-%d}),"
            " after the signature was made"
        )
    return SignatureResult(
        State.GOOD,
        signed_at=stamp.time if stamp and stamper else None,
        stamped_by=stamper,
        warnings=tuple(warnings),
    )


def _read_stamp(signature: cms.Signature) -> timestamp.TimeStamp | None:
    token = signature.others.get(asn1.TIME_STAMP)
    return None if token is None else timestamp.read(token, signature.value)


def _trusted_stamper(
    stamp: timestamp.TimeStamp, trusted: TrustedPublisher, warnings: list[str]
) -> str | None:
    """Who made a stamp, when that is somebody to rely on."""
    name = chain.name_of(stamp.certificate)
    if not trusted.stampers:
        found = chain.without_roots(stamp.certificate, stamp.certificates, chain.TIME_STAMPING)
        _check_all_used(stamp.certificates, found, timestamp.WHAT)
        warnings.append(f'the time stamp by "{name}" is not relied on: no such authority is known')
        return None
    found = chain.find(
        stamp.certificate, stamp.certificates, trusted.stampers, chain.TIME_STAMPING, stamp.time
    )
    _check_all_used(stamp.certificates, found, timestamp.WHAT)
    return name


def _check_trusted(signature: cms.Signature, trusted: TrustedPublisher, at: datetime) -> None:
    certificate, beside = signature.certificate, signature.certificates
    if not trusted.roots and not trusted.signers:
        raise TrustError("no certificate is trusted here, so no signature can be good")
    if trusted.roots:
        found = chain.find(certificate, beside, trusted.roots, chain.CODE_SIGNING, at)
    else:
        found = chain.without_roots(certificate, beside, chain.CODE_SIGNING)
        chain.check_time(certificate, at)
    _check_all_used(beside, found, _WHAT)
    prints = {
        certificate.fingerprint(each()).hex().upper() for each in (hashes.SHA1, hashes.SHA256)
    }
    if trusted.signers and trusted.signers.isdisjoint(prints):
        raise TrustError(
            f"the signer's certificate has thumbprint {thumbprint_of(certificate)},"
            " which is not a published one"
        )


def _check_all_used(
    beside: Iterable[x509.Certificate], found: Collection[x509.Certificate], what: str
) -> None:
    """Refuse certificates that nothing speaks for: anything could be written there."""
    for certificate in beside:
        if certificate not in found:
            raise TrustError(
                f"the {what} holds a certificate that is not of its chain:"
                f' "{chain.name_of(certificate)}"'
            )


def _check_file(file: BinaryIO, program: pe.PeFile, signature: cms.Signature) -> None:
    """Check that the signature is of this file.

    Raises:
        TrustError: It is of another.
    """
    if signature.kind != asn1.INDIRECT_DATA_TYPE:
        raise TrustError("the signature is of something that is no program")
    signed = asn1.decode(signature.content, asn1.INDIRECT_DATA, _WHAT)
    if str(signed["data"]["algorithm"]) != asn1.PE_IMAGE:
        raise TrustError("the signature is of another kind of file")
    hash_name = cms.read_hash_name(signed["digest"]["algorithm"], _WHAT)
    digest = hashes.Hash(cms.HASHES[hash_name]())
    checksum = pe.hash_program(file, program, digest)
    if digest.finalize() != bytes(signed["digest"]["digest"]):
        raise TrustError("the program was altered after it was signed, or is another one")
    if program.checksum != checksum:
        raise TrustError(
            f"the program's checksum is {program.checksum:#010x}, expected {checksum:#010x}"
        )
