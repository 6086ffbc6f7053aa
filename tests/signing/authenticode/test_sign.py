"""Signing programs: the result is complete, reproducible, and accepted by other tools too."""

import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from awstoe.trust.authenticode import verify as trust
from awstoe.trust.authenticode.chain import CODE_SIGNING, TIME_STAMPING
from awstoe.trust.authenticode.verify import State
from awstoe_signing.authenticode import certificates as authenticode_certificates
from awstoe_signing.authenticode import sign as authenticode
from awstoe_signing.authenticode.certificates import Validity
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.kms import KmsSigner
from awstoe_signing.keys.signers import HashName, LocalSigner, PublicKey
from fakes.certificates import (
    BEGIN,
    END,
    NOW,
    PSS,
    Holder,
    authority,
    curve_key,
    make,
    rsa_key,
    signer,
    world,
)
from fakes.kms import KmsKey, kms
from fakes.signed_programs import DESCRIPTION, honest_stamps, sign
from fakes.windows_program import CHECKSUM_AT, make_program, table_of

ORACLE = shutil.which("osslsigncode")
COMPILER = shutil.which("x86_64-w64-mingw32-gcc")
needs_oracle = pytest.mark.skipif(ORACLE is None, reason="osslsigncode is not installed")
PROGRAM = make_program(payload=b"odd")


class Recorder:
    """A remote key, which only gets digests."""

    name = "a key far away"

    def __init__(self, holder: Holder) -> None:
        self._signer = LocalSigner(holder.key, "")
        self.public_key: PublicKey = self._signer.public_key
        self.digests: list[bytes] = []

    def sign_digest(self, digest: bytes, hash_name: HashName) -> bytes:
        self.digests.append(digest)
        return self._signer.sign_digest(digest, hash_name)


def rsa_chain() -> list[x509.Certificate]:
    holders = world()
    chain = (holders.rsa_publisher, holders.between, holders.root)
    return [each.certificate for each in chain]


def rsa_signed(program: bytes = PROGRAM, *, at: datetime = NOW) -> bytes:
    return sign(program, world().rsa_publisher, rsa_chain(), at=at)


# --- the result -------------------------------------------------------------------------------
def test_the_same_input_results_in_the_same_file() -> None:
    assert rsa_signed() == rsa_signed()
    assert rsa_signed() != rsa_signed(at=NOW + timedelta(seconds=1))


def test_signature_adds_itself_and_padding_and_changes_two_header_fields() -> None:
    program = rsa_signed()
    at, size = table_of(program)
    assert at == len(PROGRAM) + 5
    assert at + size == len(program)
    changed = {place for place in range(len(PROGRAM)) if program[place] != PROGRAM[place]}
    assert len(changed) <= 12
    assert program[len(PROGRAM) : at] == bytes(5)


def test_key_gets_only_one_digest(tmp_path: Path) -> None:
    far = Recorder(world().rsa_publisher)
    source = tmp_path / "in.exe"
    source.write_bytes(PROGRAM)
    identity = authenticode.SigningIdentity(far, rsa_chain())
    verdict = authenticode.sign(
        str(source), str(source), identity=identity, description=DESCRIPTION, at=NOW
    )
    assert verdict.state is State.GOOD
    assert [len(each) for each in far.digests] == [32]
    assert source.read_bytes() == rsa_signed()


@pytest.mark.parametrize(
    "at", [datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)]
)
def test_signing_works_before_and_after_2050(at: datetime) -> None:
    usage = signer(ExtendedKeyUsageOID.CODE_SIGNING)
    holder = make("Publisher", usage, end=at + timedelta(seconds=1))
    program = sign(PROGRAM, holder, at=at)
    verdict = trust_of(program, [holder.certificate], now=at)
    assert verdict.state is State.GOOD


def trust_of(
    program: bytes, roots: Sequence[x509.Certificate], *, now: datetime = NOW
) -> trust.SignatureResult:
    return trust.verify_file(io.BytesIO(program), trusted=roots, now=now)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_signed_file_has_the_mode_of_the_unsigned_one(tmp_path: Path) -> None:
    source, target = tmp_path / "in.exe", tmp_path / "out.exe"
    source.write_bytes(PROGRAM)
    source.chmod(0o751)
    identity = authenticode.SigningIdentity(world().publisher.signer, world().chain)
    authenticode.sign(str(source), str(target), identity=identity, description=DESCRIPTION, at=NOW)
    assert target.stat().st_mode & 0o777 == 0o751


def test_key_of_aws_kms_signs_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(PROGRAM)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    with kms() as endpoint:
        endpoint.keys["rsa"] = KmsKey(rsa_key("RSA Publisher"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint.url)
        far = KmsSigner("arn:aws:kms:eu-central-1:111122223333:key/rsa")
        authenticode.sign(
            str(path),
            str(path),
            identity=authenticode.SigningIdentity(far, rsa_chain()),
            description=DESCRIPTION,
            at=NOW,
        )
    assert path.read_bytes() == rsa_signed()


# --- what is rejected -------------------------------------------------------------------------
def failure_of(
    tmp_path: Path, program: bytes, holder: Holder, certificates: Sequence[x509.Certificate]
) -> str:
    source, target = tmp_path / "in.exe", tmp_path / "out.exe"
    source.write_bytes(program)
    identity = authenticode.SigningIdentity(holder.signer, certificates)
    with pytest.raises(SigningFailure) as failure:
        authenticode.sign(
            str(source), str(target), identity=identity, description=DESCRIPTION, at=NOW
        )
    assert os.listdir(tmp_path) == ["in.exe"]
    return failure.value.message


def test_signed_program_is_not_signed_again(tmp_path: Path) -> None:
    message = failure_of(tmp_path, rsa_signed(), world().publisher, world().chain)
    assert message.endswith("in.exe is not signed: it is signed already")


def test_a_file_that_is_not_a_program_is_not_signed(tmp_path: Path) -> None:
    message = failure_of(tmp_path, b"#!/bin/sh\n", world().publisher, world().chain)
    assert "not a Windows program: no MZ header" in message


def test_certificate_of_another_key_is_rejected(tmp_path: Path) -> None:
    message = failure_of(tmp_path, PROGRAM, world().stranger, world().chain)
    assert "does not belong to the key a key of the tests: nothing signed" in message


def test_expired_certificate_is_rejected(tmp_path: Path) -> None:
    holder = make("Old", signer(ExtendedKeyUsageOID.CODE_SIGNING), end=NOW - timedelta(days=1))
    assert "expired at" in failure_of(tmp_path, PROGRAM, holder, [holder.certificate])


def test_certificate_for_another_purpose_is_rejected(tmp_path: Path) -> None:
    stamper = world().stamper
    message = failure_of(tmp_path, PROGRAM, stamper, [stamper.certificate])
    assert 'the certificate "Stamper" is not for code signing' in message


def test_chain_that_users_would_reject_is_rejected(tmp_path: Path) -> None:
    certificates = [*world().chain[:2], world().stamper.certificate, world().root.certificate]
    message = failure_of(tmp_path, PROGRAM, world().publisher, certificates)
    assert (
        "the new signature does not verify: the signature contains a certificate that is not"
        in message
    )


def test_missing_program_is_reported(tmp_path: Path) -> None:
    identity = authenticode.SigningIdentity(world().publisher.signer, world().chain)
    with pytest.raises(SigningFailure, match=r"none\.exe: No such file"):
        authenticode.sign(
            str(tmp_path / "none.exe"),
            str(tmp_path / "out.exe"),
            identity=identity,
            description=DESCRIPTION,
            at=NOW,
        )


# --- certificates -----------------------------------------------------------------------------
VALIDITY = Validity(BEGIN, END)


def test_own_authority_certifies_a_key_that_signs() -> None:
    root_signer = LocalSigner(rsa_key("Own Root"), "root")
    root = authenticode_certificates.make_root(root_signer, "Own Root", VALIDITY)
    key = rsa_key("RSA Publisher")
    certificate = authenticode_certificates.issue(
        root, key.public_key(), "Publisher", CODE_SIGNING, VALIDITY
    )
    program = sign(PROGRAM, Holder(certificate, key), [certificate, root.certificate])
    assert trust_of(program, [root.certificate]).state is State.GOOD
    stamper = authenticode_certificates.issue(
        root, curve_key("Own Stamper").public_key(), "Stamper", TIME_STAMPING, VALIDITY
    )
    stamps = honest_stamps()._replace(
        holder=Holder(stamper, curve_key("Own Stamper")), root=root.certificate
    )
    program = sign(PROGRAM, Holder(certificate, key), [certificate], authority=stamps)
    assert trust_of(program, [root.certificate]).state is State.GOOD


def test_certificate_request_is_signed_by_a_remote_key_too() -> None:
    far = Recorder(world().rsa_publisher)
    subject = x509.Name.from_rfc4514_string("CN=Example,O=Example Inc.,C=US")
    request = authenticode_certificates.request(far, subject)
    assert request.is_signature_valid
    assert request.subject == subject
    assert len(far.digests) == 1


def test_request_needs_an_rsa_key() -> None:
    with pytest.raises(SigningFailure, match="a key of the tests is not RSA"):
        authenticode_certificates.request(world().publisher.signer, x509.Name([]))


# --- other tools ------------------------------------------------------------------------------
def run(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(each) for each in argv], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pem(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    return path


def key_file(path: Path, holder: Holder) -> Path:
    path.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def oracle_accepts(path: Path, *, now: datetime = NOW) -> str:
    folder = path.parent
    return run(
        *(ORACLE or "", "verify", "-time", str(int(now.timestamp()))),
        *("-CAfile", pem(folder / "ca.pem", world().root.certificate)),
        *("-TSA-CAfile", pem(folder / "tsa.pem", world().stamp_root.certificate)),
        *("-in", path),
    )


@needs_oracle
@pytest.mark.parametrize("kind", ["PE32", "PE32+"])
@pytest.mark.parametrize("payload", [b"", b"x", b"seven b", bytes(100_000)])
def test_osslsigncode_accepts_what_we_sign(tmp_path: Path, kind: str, payload: bytes) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(rsa_signed(make_program(kind, payload=payload)))
    output = oracle_accepts(path)
    assert "Signature verification: ok" in output
    assert "Text description: awstoe" in output
    assert "URL description: https://example.com/awstoe" in output


@needs_oracle
def test_osslsigncode_accepts_our_timestamp_after_the_certificate_expired(tmp_path: Path) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(sign(PROGRAM, authority=honest_stamps()))
    output = oracle_accepts(path, now=END + timedelta(days=30))
    assert "Timestamp Server Signature verification: ok" in output
    assert "Signature verification: ok" in output


@needs_oracle
@pytest.mark.parametrize("publisher", ["publisher", "rsa_publisher"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_what_osslsigncode_signs_is_good(tmp_path: Path, publisher: str, digest: str) -> None:
    holder: Holder = getattr(world(), publisher)
    path = made_by_oracle(tmp_path, holder, "-h", digest)
    assert verdict_on(path).state is State.GOOD


def made_by_oracle(tmp_path: Path, holder: Holder, *options: str | Path) -> Path:
    unsigned, path = tmp_path / "unsigned.exe", tmp_path / "signed.exe"
    unsigned.write_bytes(PROGRAM)
    chain = [holder.certificate, world().between.certificate, world().root.certificate]
    run(
        *(ORACLE or "", "sign", "-certs", pem(tmp_path / "chain.pem", *chain)),
        *("-key", key_file(tmp_path / "key.pem", holder), "-n", "awstoe", *options),
        *("-in", unsigned, "-out", path),
    )
    return path


def verdict_on(path: Path, *, now: datetime = NOW) -> trust.SignatureResult:
    return trust.verify(
        str(path),
        trusted=[world().root.certificate],
        timestamp_authorities=[world().stamp_root.certificate],
        now=now,
    )


@needs_oracle
def test_timestamp_of_osslsigncode_is_good(tmp_path: Path) -> None:
    """The test has its own authority, and OpenSSL makes the token."""
    holders = world()
    path = made_by_oracle(
        tmp_path,
        holders.rsa_publisher,
        *("-TSA-certs", pem(tmp_path / "a.pem", holders.stamper.certificate)),
        *("-TSA-key", key_file(tmp_path / "a.key", holders.stamper)),
        *("-TSA-time", str(int(NOW.timestamp()))),
    )
    verdict = verdict_on(path, now=END + timedelta(days=30))
    assert (verdict.reason, verdict.signed_at) == (None, NOW)


@needs_oracle
def test_a_nested_signature_of_osslsigncode_is_rejected(tmp_path: Path) -> None:
    path = made_by_oracle(tmp_path, world().rsa_publisher)
    nested = tmp_path / "nested.exe"
    holders = world()
    run(
        *(ORACLE or "", "sign", "-nest", "-certs", tmp_path / "chain.pem"),
        *("-key", key_file(tmp_path / "key.pem", holders.rsa_publisher), "-in", path),
        *("-out", nested),
    )
    assert "other than a timestamp: 1.3.6.1.4.1.311.2.4.1" in (verdict_on(nested).reason or "")


@needs_oracle
def test_hashes_of_pages_by_osslsigncode_are_rejected(tmp_path: Path) -> None:
    """They are not checked, so they must not be there: Windows may rely on them."""
    path = made_by_oracle(tmp_path, world().rsa_publisher, "-ph", "-h", "sha256")
    assert "has hashes of pages" in (verdict_on(path).reason or "")


@needs_oracle
@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_an_old_digest_of_osslsigncode_is_rejected(tmp_path: Path, digest: str) -> None:
    path = made_by_oracle(tmp_path, world().rsa_publisher, "-h", digest)
    assert "expected SHA-256, SHA-384 or SHA-512" in (verdict_on(path).reason or "")


@needs_oracle
def test_a_certificate_signed_with_rsa_pss_is_rejected_even_if_osslsigncode_accepts_it(
    tmp_path: Path,
) -> None:
    root = make("PSS Root", authority(), key=rsa_key("RSA Publisher"))
    holder = make("PSS", signer(CODE_SIGNING.usage), by=root, rsa_padding=PSS)
    unsigned, path = tmp_path / "unsigned.exe", tmp_path / "signed.exe"
    unsigned.write_bytes(PROGRAM)
    run(
        *(ORACLE or "", "sign", "-certs", pem(tmp_path / "a.pem", holder.certificate)),
        *("-key", key_file(tmp_path / "key.pem", holder), "-in", unsigned, "-out", path),
    )
    accepted = run(
        *(ORACLE or "", "verify", "-time", str(int(NOW.timestamp())), "-in", path),
        *("-CAfile", pem(tmp_path / "ca.pem", root.certificate)),
    )
    assert "Signature verification: ok" in accepted
    verdict = trust.verify(str(path), trusted=[root.certificate], now=NOW)
    assert verdict.state is State.UNTRUSTED
    assert 'the certificate "PSS" is signed with 1.2.840.113549.1.1.10' in (verdict.reason or "")


@needs_oracle
@pytest.mark.parametrize("what", ["checksum", "certificate of the root"])
def test_an_altered_file_is_rejected_even_if_osslsigncode_accepts_it(
    tmp_path: Path, what: str
) -> None:
    """It accepts 479 of 1,096 files with one changed byte: it does not check all bytes."""
    program = sign(PROGRAM, authority=honest_stamps())
    at = CHECKSUM_AT
    if what != "checksum":
        encoded = world().root.certificate.public_bytes(Encoding.DER)
        at = program.index(encoded) + len(encoded) - 5
    path = tmp_path / "program.exe"
    path.write_bytes(program[:at] + bytes([program[at] ^ 1]) + program[at + 1 :])
    oracle_accepts(path)
    assert verdict_on(path).state is State.BAD


@pytest.mark.skipif(COMPILER is None, reason="the mingw compiler is not installed")
def test_program_of_a_real_compiler_is_signed(tmp_path: Path) -> None:
    source, program, target = (tmp_path / name for name in ("a.c", "a.exe", "signed.exe"))
    source.write_text("int main(void) { return 0; }\n")
    run(COMPILER or "", "-Os", "-s", "-Wl,--no-insert-timestamp", "-o", program, source)
    before = hashlib.sha256(program.read_bytes()).digest()
    identity = authenticode.SigningIdentity(world().rsa_publisher.signer, rsa_chain())
    authenticode.sign(str(program), str(target), identity=identity, description=DESCRIPTION, at=NOW)
    assert verdict_on(target).state is State.GOOD
    assert hashlib.sha256(program.read_bytes()).digest() == before
    if ORACLE:
        oracle_accepts(target)
