"""Asks a time stamp authority (RFC 3161) to confirm that a signature exists now.

HTTP without TLS is enough, and usual: what comes back is signed, and verified here by the very code
that users verify it with. Certificates that do not lead to a known authority are taken out; no
signature covers them, and nobody needs them.
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
_TIME_OUTS: Final = (10, 30)
"""Seconds for connecting, and for a silence."""
_TOTAL_SECONDS: Final = 60.0
"""For one attempt, however the server spreads its bytes; a stamp takes a second."""
_ANSWER_BYTES: Final = 64 * 1024
_GRANTED: Final = (0, 1)
"""PKIStatus: granted, granted with modifications."""
_SKEW: Final = timedelta(minutes=10)
"""A stamp that differs more from our clock is of no use: one of the two is wrong."""

REQUEST: Final = asn1.sequence(
    asn1.field("version", univ.Integer()),
    asn1.field("imprint", asn1.DIGEST),
    asn1.optional("policy", univ.ObjectIdentifier()),
    asn1.optional("nonce", univ.Integer()),
    asn1.optional("certificates", univ.Boolean()),
)
"""TimeStampReq, as far as it is used."""

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
    """Who stamps signatures."""

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """Certificates that its chain may end at; users have to know one of them as well."""

    def stamp(self, signature: bytes, now: datetime) -> bytes:
        """A time stamp token for the value of a signature.

        Raises:
            SigningFailure: There is none to be had.
        """


class _Unavailable(Exception):
    """The server may answer another time."""


class Server(NamedTuple):
    """An authority that is asked over HTTP."""

    url: str
    roots: Sequence[x509.Certificate]
    pause: float = _FIRST_PAUSE_SECONDS
    """Before the second attempt; doubled each time."""
    total: float = _TOTAL_SECONDS
    """For each attempt, in seconds."""

    @property
    def _shown(self) -> str:
        return urls.redacted(self.url)

    def stamp(self, signature: bytes, now: datetime) -> bytes:
        """See ``Authority``."""
        nonce = secrets.randbits(63)
        request = new(REQUEST)
        request["version"] = 1
        request["imprint"] = digest_info(signature)
        request["nonce"] = nonce
        request["certificates"] = True
        answer = self._ask(encode(request))
        try:
            return self._token(answer, signature, nonce, now)
        except TrustError as error:
            raise SigningFailure(
                f"the time stamp of {self._shown} is refused: {error.message}",
                hint="ask another server, or name the certificate of its authority",
            ) from error

    def _ask(self, request: bytes) -> bytes:
        status, body = self._persistently(request)
        if status != HTTPStatus.OK or len(body) > _ANSWER_BYTES:
            size = f"more than {_ANSWER_BYTES}" if len(body) > _ANSWER_BYTES else str(len(body))
            raise SigningFailure(
                f"the time stamp server {self._shown} answers with status {status} and {size}"
                f" bytes; expected 200 and at most {_ANSWER_BYTES}",
                hint="is this the address of a time stamp server (RFC 3161)?",
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
                        f"the time stamp server {self._shown} gives no answer after {_ATTEMPTS}"
                        f" attempts: {error}",
                        hint="try again later, or name another server; nothing was signed",
                    ) from error
            time.sleep(pause)
            pause *= 2

    def _within_total(self, request: bytes) -> tuple[int, bytes]:
        """One attempt, given up when its time is over.

        The time-outs of ``requests`` begin anew with every byte, also of the header, and do not
        count the look-up of a name. The thread that is left behind ends at the next silence, or
        with the process.
        """
        ended: queue.SimpleQueue[tuple[int, bytes] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                ended.put(self._post(request))
            except Exception as error:  # noqa: BLE001 - the thread that waits raises it
                ended.put(error)

        threading.Thread(target=ask, daemon=True).start()
        with contextlib.suppress(queue.Empty):
            outcome = ended.get(timeout=self.total)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        raise _Unavailable(f"the answer was not complete after {self.total:g} seconds")

    def _post(self, request: bytes) -> tuple[int, bytes]:
        try:
            with requests.post(
                self.url,
                data=request,
                headers={"Content-Type": "application/timestamp-query"},
                timeout=_TIME_OUTS,
                stream=True,
                allow_redirects=False,
            ) as response:
                body = response.raw.read(_ANSWER_BYTES + 1, decode_content=True)
                status = response.status_code
        except ValueError as error:  # its text may hold the whole address
            raise SigningFailure(
                f"the time stamp server {self._shown!r} has no address that can be asked",
                hint="expected http://HOST/PATH or https://HOST/PATH",
            ) from error
        # Reading the raw body lets errors through that requests would translate.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _Unavailable(str(error)) from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Unavailable(f"status {status}")
        return status, bytes(body)

    def _token(self, answer: bytes, signature: bytes, nonce: int, now: datetime) -> bytes:
        response = asn1.decode(answer, RESPONSE, "answer of the time stamp server")
        status = int(response["status"]["status"])
        if status not in _GRANTED or not response["token"].isValue:
            raise SigningFailure(
                f"the time stamp server {self._shown} refuses, with status {status}",
                hint="ask another server, or whoever runs this one",
            )
        token = bytes(response["token"])
        stamp = authenticode_timestamp.read(token, signature)
        if stamp.nonce != nonce:
            raise TrustError("it answers another request")
        if abs(stamp.time - now) > _SKEW:
            raise TrustError(f"its time is {stamp.time}, this machine's is {now}")
        found = chain.find(
            stamp.certificate, stamp.certificates, self.roots, chain.TIME_STAMPING, stamp.time
        )
        return _with_certificates(token, [each for each in found if each in stamp.certificates])


def _with_certificates(token: bytes, certificates: Sequence[x509.Certificate]) -> bytes:
    """A token with no other certificates than these."""
    outer = asn1.decode(token, asn1.CONTENT_INFO, authenticode_timestamp.WHAT)
    data: Any = asn1.decode(bytes(outer["content"]), asn1.SIGNED_DATA, authenticode_timestamp.WHAT)
    data["certificates"].clear()
    for number, each in enumerate(certificates):
        data["certificates"][number] = each.public_bytes(Encoding.DER)
    return content_info(data)
