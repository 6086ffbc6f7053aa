"""Keys of AWS KMS; the only module of the signing tools that sends requests to AWS.

Only the digest is sent (``MessageType=DIGEST``); the key stays at AWS. Credentials, region and
proxies are configured as for every AWS program; ``AWS_ENDPOINT_URL_KMS`` sets another endpoint.
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
_Response = TypeVar("_Response")


class KmsSigner:
    """An asymmetric key of KMS.

    Args:
        key: Its ID, its ARN or an alias (``alias/...``).
        client: The client; made from the environment if None.

    Raises:
        SigningFailure: The key cannot be reached, or cannot sign.
    """

    def __init__(self, key: str, client: "KMSClient | None" = None) -> None:
        self.name = f"the KMS key {key}"
        self._key = key
        self._client = client or self._request(lambda: _client(key))
        found = self._request(lambda: self._client.get_public_key(KeyId=key))
        self.public_key = self._usable(found)
        self._offered = frozenset(found["SigningAlgorithms"])
        self._kind = "rsa" if isinstance(self.public_key, rsa.RSAPublicKey) else "ec"

    def sign_digest(self, digest: bytes, hash_name: HashName) -> bytes:
        check_digest(digest, hash_name)
        algorithm = _ALGORITHMS[self._kind, hash_name]
        if algorithm not in self._offered:
            raise SigningFailure(f"{self.name} does not sign {algorithm}: nothing signed")
        response = self._request(
            lambda: self._client.sign(
                KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm
            )
        )
        signature = response["Signature"]
        try:
            verify_digest(self.public_key, signature, digest, hash_name)
        except InvalidSignature as error:
            raise SigningFailure(
                f"{self.name} returned something that is not its signature: nothing signed",
                hint="check the endpoint: it must sign digests without hashing them again",
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

    def _request(self, send: Callable[[], _Response]) -> _Response:
        """Send a request and return AWS's response.

        Raises:
            SigningFailure: AWS returned an error, or cannot be reached.
        """
        try:
            return send()
        except ClientError as error:
            details = error.response["Error"]
            raise SigningFailure(
                f"{self.name}: AWS returned {details.get('Code')}: {details.get('Message')}",
                hint="the caller needs kms:GetPublicKey and kms:Sign on that key",
            ) from error
        # botocore raises ValueError for an endpoint that is not a valid URL.
        except (BotoCoreError, ValueError) as error:
            raise SigningFailure(
                f"{self.name} cannot be reached: {error}",
                hint="check credentials, region, endpoint and network: aws sts get-caller-identity",
            ) from error


def _client(key: str) -> "KMSClient":
    """Return a client for the region in the key's ARN, or else for that of the environment."""
    parts = key.split(":")
    region = parts[3] if parts[0] == "arn" and len(parts) > 3 else None  # noqa: PLR2004
    return boto3.session.Session().client("kms", region_name=region, config=_CONFIG)
