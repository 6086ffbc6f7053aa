"""Requests timestamps (RFC 3161), which confirm that a signature exists now.

HTTP without TLS is enough, and usual: the response is signed, and verified here by the code that
users verify with. Certificates that do not lead to a known authority are removed; no signature
covers them, and they are not needed.
"""

import contextlib
import queue
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.type import univ

from awstoe.errors import TrustError
from awstoe.host.network import urls
from awstoe.trust.authenticode import asn1, chain
from awstoe.trust.authenticode import timestamp as authenticode_timestamp
from awstoe_signing.authenticode.cms import content_info, digest_info, encode, new
from awstoe_signing.failure import SigningFailure

_ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 1.0
_TIMEOUTS: Final = (10, 30)
"""Seconds to connect, and to wait for the next bytes."""
_TOTAL_SECONDS: Final = 60.0
"""For one attempt, regardless of how slowly bytes arrive. A timestamp takes a second."""
_RESPONSE_BYTES: Final = 64 * 1024
_GRANTED: Final = (0, 1)
"""PKIStatus: granted, granted with modifications."""
_SKEW: Final = timedelta(minutes=10)
"""A timestamp that differs more from our clock is rejected: one of the clocks is wrong."""

REQUEST: Final = asn1.sequence(
    asn1.field("version", univ.Integer()),
    asn1.field("imprint", asn1.DIGEST),
    asn1.optional("policy", univ.ObjectIdentifier()),
    asn1.optional("nonce", univ.Integer()),
    asn1.optional("certificates", univ.Boolean()),
)
"""TimeStampReq, without the fields that are not used."""

RESPONSE: Final = asn1.sequence(
    asn1.field(
        "status",
        asn1.sequence(
            asn1.field("status", univ.Integer()),
            asn1.optional("texts", asn1.sequence_of(univ.Any())),
            asn1.optional("failure", univ.BitString()),
        ),
    ),
    asn1.optional("token", univ.Any()),
)
"""TimeStampResp."""


class Authority(Protocol):
    """A timestamp authority."""

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """Certificates at which its chain may end. Users have to know one of them as well."""

    def stamp(self, signature: bytes, now: datetime) -> bytes:
        """Return a timestamp token for the value of a signature.

        Raises:
            SigningFailure: The authority did not return a valid token.
        """


class _Unavailable(Exception):
    """The server may answer a later attempt."""


class Server(NamedTuple):
    """A timestamp authority with an HTTP server."""

    url: str
    roots: Sequence[x509.Certificate]
    pause: float = _FIRST_PAUSE_SECONDS
    """Seconds before the second attempt; doubled each time."""
    total: float = _TOTAL_SECONDS
    """The time limit for each attempt, in seconds."""

    @property
    def _redacted_url(self) -> str:
        return urls.redacted(self.url)

    def stamp(self, signature: bytes, now: datetime) -> bytes:
        nonce = secrets.randbits(63)
        request = new(REQUEST)
        request["version"] = 1
        request["imprint"] = digest_info(signature)
        request["nonce"] = nonce
        request["certificates"] = True
        response = self._send(encode(request))
        try:
            return self._token(response, signature, nonce, now)
        except TrustError as error:
            raise SigningFailure(
                f"the timestamp of {self._redacted_url} is not valid: {error.message}",
                hint="use another server, or add the root certificate of its authority",
            ) from error

    def _send(self, request: bytes) -> bytes:
        status, body = self._persistently(request)
        if status != HTTPStatus.OK or len(body) > _RESPONSE_BYTES:
            size = f"more than {_RESPONSE_BYTES}" if len(body) > _RESPONSE_BYTES else str(len(body))
            raise SigningFailure(
                f"the timestamp server {self._redacted_url} returned status {status} and {size}"
                f" bytes; expected 200 and up to {_RESPONSE_BYTES}",
                hint="check that this is the address of a timestamp server (RFC 3161)",
            )
        return body

    def _persistently(self, request: bytes) -> tuple[int, bytes]:
        pause, left = self.pause, _ATTEMPTS
        while True:
            left -= 1
            try:
                return self._within_total(request)
            except _Unavailable as error:
                if not left:
                    raise SigningFailure(
                        f"the timestamp server {self._redacted_url} did not answer in {_ATTEMPTS}"
                        f" attempts: {error}",
                        hint="try again later, or use another server; nothing was signed",
                    ) from error
            time.sleep(pause)
            pause *= 2

    def _within_total(self, request: bytes) -> tuple[int, bytes]:
        """Make one attempt, with a time limit.

        The timeouts of ``requests`` start over with every byte, also in the header, and do not
        include the look-up of a name. The thread that is left behind ends at its next timeout, or
        with the process.
        """
        ended: queue.SimpleQueue[tuple[int, bytes] | Exception] = queue.SimpleQueue()

        def post() -> None:
            try:
                ended.put(self._post(request))
            except Exception as error:  # noqa: BLE001 - the waiting thread raises it
                ended.put(error)

        threading.Thread(target=post, daemon=True).start()
        with contextlib.suppress(queue.Empty):
            outcome = ended.get(timeout=self.total)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        raise _Unavailable(f"the response was not complete after {self.total:g} seconds")

    def _post(self, request: bytes) -> tuple[int, bytes]:
        try:
            with requests.post(
                self.url,
                data=request,
                headers={"Content-Type": "application/timestamp-query"},
                timeout=_TIMEOUTS,
                stream=True,
                allow_redirects=False,
            ) as response:
                body = response.raw.read(_RESPONSE_BYTES + 1, decode_content=True)
                status = response.status_code
        except ValueError as error:  # its text may have the whole URL
            raise SigningFailure(
                f"{self._redacted_url!r} is not a valid address of a timestamp server",
                hint="expected http://HOST/PATH or https://HOST/PATH",
            ) from error
        # Reading the raw body raises errors that requests would translate.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _Unavailable(str(error)) from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Unavailable(f"status {status}")
        return status, bytes(body)

    def _token(self, data: bytes, signature: bytes, nonce: int, now: datetime) -> bytes:
        response = asn1.decode(data, RESPONSE, "response of the timestamp server")
        status = int(response["status"]["status"])
        if status not in _GRANTED or not response["token"].isValue:
            raise SigningFailure(
                f"the timestamp server {self._redacted_url} rejected the request: status {status}",
                hint="use another server, or contact the operator of this one",
            )
        token = bytes(response["token"])
        stamp = authenticode_timestamp.read(token, signature)
        if stamp.nonce != nonce:
            raise TrustError("it answers another request")
        if abs(stamp.time - now) > _SKEW:
            raise TrustError(f"its time is {stamp.time}, but this machine's is {now}")
        found = chain.find(
            stamp.certificate, stamp.certificates, self.roots, chain.TIME_STAMPING, stamp.time
        )
        return _with_certificates(token, [each for each in found if each in stamp.certificates])


def _with_certificates(token: bytes, certificates: Sequence[x509.Certificate]) -> bytes:
    """Return a token with only these certificates."""
    outer = asn1.decode(token, asn1.CONTENT_INFO, authenticode_timestamp.WHAT)
    data: Any = asn1.decode(bytes(outer["content"]), asn1.SIGNED_DATA, authenticode_timestamp.WHAT)
    data["certificates"].clear()
    for number, each in enumerate(certificates):
        data["certificates"][number] = each.public_bytes(Encoding.DER)
    return content_info(data)
