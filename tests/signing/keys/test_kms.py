"""Keys of AWS KMS, over HTTP against an endpoint that signs digests as KMS does."""

import datetime as dt
import hashlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.ceremony import REHEARSAL
from awstoe_signing.keys.directory import KeyDirectory, Purpose
from awstoe_signing.keys.kms import KmsSigner
from awstoe_signing.keys.signers import HashName, LocalSigner, Signer, verify_digest
from awstoe_signing.openpgp import sign as openpgp_signing
from awstoe_signing.tuf import repository as tuf_repository
from fakes.kms import Kms, KmsError, KmsKey, kms

ARN = "arn:aws:kms:eu-central-1:111122223333:key/"


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey) -> Iterator[Kms]:
    with kms() as running:
        running.keys["rsa"] = KmsKey(rsa_key)
        running.keys["ecc"] = KmsKey(ec.generate_private_key(ec.SECP256R1()))
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "none")
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        yield running


@pytest.mark.parametrize(
    ("name", "hash_name", "algorithm"),
    [
        ("rsa", "sha512", "RSASSA_PKCS1_V1_5_SHA_512"),
        ("rsa", "sha256", "RSASSA_PKCS1_V1_5_SHA_256"),
        ("ecc", "sha256", "ECDSA_SHA_256"),
    ],
)
def test_a_digest_is_sent_and_signed_as_it_is(
    name: str, hash_name: HashName, algorithm: str, endpoint: Kms
) -> None:
    signer = KmsSigner(ARN + name)
    digest = hashlib.new(hash_name, b"data").digest()
    verify_digest(signer.public_key, signer.sign_digest(digest, hash_name), digest, hash_name)
    operation, parameters = endpoint.requests[-1]
    assert operation == "Sign"
    assert (parameters["MessageType"], parameters["SigningAlgorithm"]) == ("DIGEST", algorithm)


def test_an_openpgp_key_of_kms_makes_a_certificate_and_signatures(
    endpoint: Kms, tmp_path: Path
) -> None:
    now = int(time.time())
    keys = KeyDirectory(str(tmp_path / "keys"), REHEARSAL)
    made = lifecycle.create(keys, Purpose.OPENPGP, now=now, expires=now + 90_000, kms=ARN + "rsa")
    assert made.backend == ARN + "rsa"
    key, _ = lifecycle.openpgp_key(keys)
    signature = openpgp_signing.detached(key, io.BytesIO(b"data"), now)
    ring = keyring.read(keys.read("public", f"{made.name}.asc"), "keys")
    assert openpgp.verify(io.BytesIO(b"data"), signature, ring, now=now).is_good
    assert list((tmp_path / "keys" / "private").iterdir()) == []
    assert {operation for operation, _ in endpoint.requests} == {"GetPublicKey", "Sign"}


def test_metadata_is_signed_by_kms(endpoint: Kms) -> None:
    signer: Signer = KmsSigner(ARN + "ecc")
    roles = {role: tuf_repository.RoleKeys((signer.public_key,)) for role in tuf_repository.ROLES}
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assert b'"signed"' in tuf_repository.create_root(roles, [signer], expires=expires)
    assert endpoint.requests[-1][1]["SigningAlgorithm"] == "ECDSA_SHA_256"


def test_an_endpoint_that_hashes_the_digest_again_is_detected(
    endpoint: Kms, rsa_key: rsa.RSAPrivateKey
) -> None:
    endpoint.keys["again"] = KmsKey(rsa_key, hashes_again=True)
    signer = KmsSigner(ARN + "again")
    with pytest.raises(SigningFailure, match="not its signature: nothing signed"):
        signer.sign_digest(bytes(64), "sha512")


def test_a_request_with_a_transient_error_is_repeated(endpoint: Kms) -> None:
    signer = KmsSigner(ARN + "ecc")
    endpoint.failures.append(KmsError("ThrottlingException", "Rate exceeded"))
    assert signer.sign_digest(bytes(32), "sha256")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (ARN + "missing", "NotFoundException: Key '.*missing' does not exist"),
        (ARN + "disabled", "DisabledException"),
        (ARN + "encrypts", "is for ENCRYPT_DECRYPT; expected a key for SIGN_VERIFY"),
        ("no-region", "cannot be reached: You must specify a region"),
    ],
)
def test_a_key_that_cannot_be_used_is_named_with_the_reason(
    key: str, message: str, endpoint: Kms, rsa_key: rsa.RSAPrivateKey
) -> None:
    endpoint.keys["disabled"] = KmsKey(rsa_key, enabled=False)
    endpoint.keys["encrypts"] = KmsKey(rsa_key, usage="ENCRYPT_DECRYPT")
    with pytest.raises(SigningFailure, match=message):
        KmsSigner(key)


def test_what_a_key_does_not_sign_is_not_sent(endpoint: Kms) -> None:
    signer = KmsSigner(ARN + "ecc")
    for digest, hash_name, message in (
        (bytes(64), "sha512", "does not sign ECDSA_SHA_512"),
        (bytes(31), "sha256", "has 32 bytes, this one 31"),
    ):
        with pytest.raises(SigningFailure, match=message):
            signer.sign_digest(digest, hash_name)  # type: ignore[arg-type]
    assert [operation for operation, _ in endpoint.requests] == ["GetPublicKey"]


def test_an_error_of_aws_is_reported(endpoint: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.failures.append(KmsError("AccessDeniedException", "not authorized: kms:GetPublicKey"))
    with pytest.raises(SigningFailure, match="AccessDeniedException: not authorized"):
        KmsSigner(ARN + "rsa")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SigningFailure, match="cannot be reached"):
        KmsSigner(ARN + "rsa")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "nonsense")
    with pytest.raises(SigningFailure, match="cannot be reached: Invalid endpoint: nonsense"):
        KmsSigner(ARN + "rsa")


def test_a_local_key_signs_like_a_key_of_kms(rsa_key: rsa.RSAPrivateKey, endpoint: Kms) -> None:
    digest = hashlib.sha512(b"data").digest()
    remote = KmsSigner(ARN + "rsa").sign_digest(digest, "sha512")
    assert LocalSigner(rsa_key, "local").sign_digest(digest, "sha512") == remote
    assert endpoint.requests


def test_a_key_of_kms_can_be_registered_once(endpoint: Kms, tmp_path: Path) -> None:
    """The same ARN again would rotate a key to itself."""
    keys = KeyDirectory(str(tmp_path / "keys"), REHEARSAL)
    now = int(time.time())
    made = lifecycle.create(keys, Purpose.TARGETS, now=now, expires=now + 5, kms=ARN + "ecc")
    with pytest.raises(SigningFailure, match=f"ecc is {made.name} already"):
        lifecycle.rotate(keys, Purpose.TARGETS, now=now, expires=now + 5, kms=ARN + "ecc")
    assert keys.facts() == [made]
    assert {operation for operation, _ in endpoint.requests} == {"GetPublicKey"}


def test_a_key_that_is_not_rsa_cannot_sign_windows_programs(endpoint: Kms, tmp_path: Path) -> None:
    keys = KeyDirectory(str(tmp_path / "keys"), REHEARSAL)
    now = int(time.time())
    with pytest.raises(SigningFailure, match="ecc is not RSA"):
        lifecycle.create(keys, Purpose.AUTHENTICODE, now=now, expires=now + 5, kms=ARN + "ecc")
    assert keys.facts() == []
    assert endpoint.requests
