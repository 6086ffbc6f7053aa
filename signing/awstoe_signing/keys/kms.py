"""Keys of AWS KMS, the only module here that talks to AWS.

The digest is sent (``MessageType=DIGEST``), the key never leaves. Credentials, region and proxies
are found as by every AWS program; ``AWS_ENDPOINT_URL_KMS`` names another endpoint.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import HashName, PublicKey, check_digest, verify_digest

if TYPE_CHECKING:
    from types_boto3_kms.client import KMSClient
    from types_boto3_kms.literals import SigningAlgorithmSpecType
    from types_boto3_kms.type_defs import GetPublicKeyResponseTypeDef

_ALGORITHMS: "Final[dict[tuple[str, HashName], SigningAlgorithmSpecType]]" = {
    ("rsa", "sha256"): "RSASSA_PKCS1_V1_5_SHA_256",
    ("rsa", "sha384"): "RSASSA_PKCS1_V1_5_SHA_384",
    ("rsa", "sha512"): "RSASSA_PKCS1_V1_5_SHA_512",
    ("ec", "sha256"): "ECDSA_SHA_256",
    ("ec", "sha384"): "ECDSA_SHA_384",
    ("ec", "sha512"): "ECDSA_SHA_512",
}
_CONFIG: Final = Config(
    connect_timeout=10, read_timeout=20, retries={"mode": "standard", "max_attempts": 4}
)
_Answer = TypeVar("_Answer")


class KmsSigner:
    """An asymmetric key of KMS.

    Args:
        key: Its id, its ARN or an alias (``alias/...``).
        client: Another client than that of the environment.

    Raises:
        SigningFailure: It cannot be reached, or is no key for signing.
    """

    def __init__(self, key: str, client: "KMSClient | None" = None) -> None:
        self.name = f"the KMS key {key}"
        self._key = key
        self._client = client or self._asked(lambda: _client(key))
        found = self._asked(lambda: self._client.get_public_key(KeyId=key))
        self.public_key = self._usable(found)
        self._offered = frozenset(found["SigningAlgorithms"])
        self._kind = "rsa" if isinstance(self.public_key, rsa.RSAPublicKey) else "ec"

    def sign_digest(self, digest: bytes, hash_name: HashName) -> bytes:
        check_digest(digest, hash_name)
        algorithm = _ALGORITHMS[self._kind, hash_name]
        if algorithm not in self._offered:
            raise SigningFailure(f"{self.name} does not sign {algorithm}: nothing signed")
        answer = self._asked(
            lambda: self._client.sign(
                KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm
            )
        )
        signature = answer["Signature"]
        try:
            verify_digest(self.public_key, signature, digest, hash_name)
        except InvalidSignature as error:
            raise SigningFailure(
                f"{self.name} answered with something that is not its signature: nothing signed",
                hint="is the endpoint AWS, and does it sign digests as they are?",
            ) from error
        return signature

    def _usable(self, found: "GetPublicKeyResponseTypeDef") -> PublicKey:
        if found["KeyUsage"] != "SIGN_VERIFY":
            raise SigningFailure(
                f"{self.name} is for {found['KeyUsage']}; expected a key for SIGN_VERIFY"
            )
        try:
            key = serialization.load_der_public_key(found["PublicKey"])
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SigningFailure(f"{self.name} has a public key that cannot be read") from error
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise SigningFailure(f"{self.name} is neither an RSA nor an ECC key")
        return key

    def _asked(self, ask: Callable[[], _Answer]) -> _Answer:
        """What AWS answers.

        Raises:
            SigningFailure: It says no, or cannot be reached.
        """
        try:
            return ask()
        except ClientError as error:
            told = error.response["Error"]
            raise SigningFailure(
                f"{self.name}: AWS says {told.get('Code')}: {told.get('Message')}",
                hint="the caller needs kms:GetPublicKey and kms:Sign on that key",
            ) from error
        # Of an endpoint that is no address botocore says ValueError.
        except (BotoCoreError, ValueError) as error:
            raise SigningFailure(
                f"{self.name} cannot be reached: {error}",
                hint="check credentials, region, endpoint and network: aws sts get-caller-identity",
            ) from error


def _client(key: str) -> "KMSClient":
    """A client for the region in the key's ARN, else for that of the environment."""
    parts = key.split(":")
    region = parts[3] if parts[0] == "arn" and len(parts) > 3 else None  # noqa: PLR2004
    return boto3.session.Session().client("kms", region_name=region, config=_CONFIG)
