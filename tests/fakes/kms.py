"""A small KMS endpoint over HTTP, whose keys sign digests unchanged, like those of AWS KMS.

It has only the operations that the signing tools use (GetPublicKey, Sign) and the errors of KMS. It
checks that a request has a signature, but does not verify it.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_RSA = [f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PKCS1_V1_5", "PSS") for bits in _HASHES]


class KmsKey(NamedTuple):
    """A key of the endpoint."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    usage: str = "SIGN_VERIFY"
    enabled: bool = True
    hashes_again: bool = False
    """Whether it signs the digest of the digest, which AWS KMS never does."""

    @property
    def algorithms(self) -> list[str]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return _RSA
        return [f"ECDSA_SHA_{self.private.key_size}"]


class KmsError(Exception):
    """An error response of KMS."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


class Kms:
    """The endpoint.

    Attributes:
        keys: By ID.
        requests: The operations and parameters of the requests.
        failures: Errors for the next requests, one for each request.
    """

    def __init__(self) -> None:
        self.keys: dict[str, KmsKey] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[KmsError] = []
        self.url = ""

    def answer(self, operation: str, parameters: dict[str, Any], headers: dict[str, str]) -> object:
        """Return the result of an operation.

        Raises:
            KmsError: The operation fails.
        """
        self.requests.append((operation, parameters))
        if self.failures:
            raise self.failures.pop(0)
        if not headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            raise KmsError("MissingAuthenticationTokenException", "Missing Authentication Token")
        key = self.keys.get(parameters["KeyId"].rpartition("key/")[2])
        if key is None:
            raise KmsError("NotFoundException", f"Key '{parameters['KeyId']}' does not exist")
        if not key.enabled:
            raise KmsError("DisabledException", f"{parameters['KeyId']} is disabled.")
        if operation == "GetPublicKey":
            return self._public_key(parameters["KeyId"], key)
        assert operation == "Sign", operation
        return self._sign(parameters, key)

    def _public_key(self, name: str, key: KmsKey) -> object:
        der = key.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "KeyId": name,
            "PublicKey": base64.b64encode(der).decode(),
            "KeyUsage": key.usage,
            "SigningAlgorithms": key.algorithms,
        }

    def _sign(self, parameters: dict[str, Any], key: KmsKey) -> object:
        algorithm = parameters["SigningAlgorithm"]
        if key.usage != "SIGN_VERIFY" or algorithm not in key.algorithms:
            raise KmsError("InvalidKeyUsageException", f"{algorithm} is not for this key")
        assert parameters["MessageType"] == "DIGEST"
        digest = base64.b64decode(parameters["Message"])
        chosen = _HASHES[algorithm[-3:]]
        if len(digest) != chosen.digest_size:
            raise KmsError(
                "ValidationException", f"Digest is invalid length for algorithm {algorithm}."
            )
        algorithm_used = chosen if key.hashes_again else utils.Prehashed(chosen)
        if isinstance(key.private, rsa.RSAPrivateKey):
            signature = key.private.sign(digest, padding.PKCS1v15(), algorithm_used)
        else:
            signature = key.private.sign(digest, ec.ECDSA(algorithm_used))
        return {
            "KeyId": parameters["KeyId"],
            "Signature": base64.b64encode(signature).decode(),
            "SigningAlgorithm": algorithm,
        }


@contextmanager
def kms() -> Iterator[Kms]:
    """Run an endpoint while the context lasts."""
    endpoint = Kms()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            parameters = json.loads(self.rfile.read(length))
            operation = self.headers["X-Amz-Target"].removeprefix("TrentService.")
            try:
                status, body = 200, endpoint.answer(operation, parameters, dict(self.headers))
            except KmsError as error:
                status, body = error.status, {"__type": error.kind, "message": str(error)}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
