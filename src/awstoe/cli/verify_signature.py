"""``awstoe verify-signature``: whether a file is what a trusted key has signed."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

from awstoe import limits
from awstoe.cli.options import Parser
from awstoe.errors import HostError, UsageError
from awstoe.host.executable import frozen
from awstoe.reporting.console import Console
from awstoe.reporting.progress import printable
from awstoe.trust import release_trust, signed_files
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.policy import Verdict
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.trust.signed_files import Publishers, SignedFile

if TYPE_CHECKING:
    from awstoe.trust.authenticode import verify as authenticode

_EXAMPLES = """\
  awstoe verify-signature
  awstoe verify-signature ./awstoe --signature ./awstoe.sig --key awstoe.gpg"""

_SUFFIXES: Final = (".sig", ".asc")
_DEVELOPMENT: Final = "this is a development build: it trusts no key"
_NAME_A_KEY: Final = "name the key file with --key"


class _Trusted(NamedTuple):
    """Whose signatures count."""

    keys: Keyring
    publishers: Publishers
    warnings: tuple[str, ...]


class Subject(NamedTuple):
    """The program that is asked."""

    path: str | None
    """Its own single file; None where it runs from sources."""
    trust: ReleaseTrust | None
    """What is built in; None in a development build."""


def run(arguments: Sequence[str], console: Console) -> int:
    """Verify what the command line names; gives the exit code.

    Raises:
        UsageError: The options are wrong, or name files that are not there.
        HostError: A file cannot be read, or no region be reached.
        TrustError: The keys cannot be read.
    """
    path = frozen.executable() if frozen.is_frozen() else None
    return verify(arguments, console, Subject(path, release_trust.read()))


def verify(arguments: Sequence[str], console: Console, program: Subject) -> int:
    """The same, for any program."""
    options = _parser().read(arguments)
    console.quiet = bool(options.quiet)
    path = options.file if options.file is not None else program.path
    if path is None:
        raise UsageError(
            "this copy of awstoe runs from its sources, of which there is no signature",
            hint="name the file to verify: awstoe verify-signature FILE",
        )
    if options.fetch and (options.file is not None or options.signature is not None):
        raise UsageError("--fetch is for the running program: leave FILE and --signature out")
    if not options.fetch and (options.region is not None or options.url is not None):
        raise UsageError("--region and --url say where --fetch looks: they need --fetch")
    trusted = _trusted(options.key, program.trust)
    with _open(path, "the file to verify") as file:
        place = options.signature or _beside(path)
        if place is not None:
            signature: bytes | None = _read(place, "--signature")
        elif options.fetch:
            # The library for HTTP takes a tenth of a second to load.
            from awstoe.cli import fetch_signature  # noqa: PLC0415

            template = options.url
            if template is None and program.trust is not None:
                template = program.trust.url
            place, signature = fetch_signature.fetch(template, options.region)
        else:
            signature = None
        try:
            found = _judge(file, path, signature, trusted)
        except OSError as error:
            raise _unreadable(path, error) from error
    _tell(console, path, place, found, trusted)
    return 0 if found.is_good else 1


def _parser() -> Parser:
    parser = Parser(
        "verify-signature",
        "Check that a file, by default this program, is what a trusted key has signed.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="the file to verify (default: this program)")
    add("--signature", metavar="SIG", help="its OpenPGP signature (default: FILE.sig)")
    add("--key", metavar="KEYFILE", help="public keys to trust instead of those built in")
    parser.flag("--fetch", help="download the published signature if there is none beside FILE")
    add("--region", metavar="REGION", help="with --fetch: the region to ask first")
    add("--url", metavar="TEMPLATE", help="with --fetch: where releases are published")
    return parser


def _trusted(key: str | None, built_in: ReleaseTrust | None) -> _Trusted:
    """Whose signatures count: those of a key file, else those that are built in.

    With a key file that key decides; of other publishers than those built in is only told.
    """
    publishers = built_in.publishers() if built_in else Publishers()
    if key is not None:
        keys = keyring.read(_read(key, "--key"), printable(key))
        return _Trusted(keys, publishers._replace(needed=False), ())
    if built_in is None:
        return _Trusted(Keyring([]), publishers, ())
    rehearsal = ("this program trusts throw-away keys of a rehearsal",)
    warnings = rehearsal if built_in.is_rehearsal else ()
    return _Trusted(built_in.keyring(), publishers, warnings)


def _beside(path: str) -> str | None:
    return next((path + end for end in _SUFFIXES if os.path.isfile(path + end)), None)


def _judge(
    file: BufferedReader, path: str, signature: bytes | None, trusted: _Trusted
) -> SignedFile:
    now = int(time.time())
    if signature is not None:
        return signed_files.verify(file, signature, trusted.keys, trusted.publishers, now=now)
    reason = f"there is no signature: {path}{_SUFFIXES[0]} is not there"
    return signed_files.unsigned(file, reason, trusted.publishers, now=now)


def _open(path: str, what: str) -> BufferedReader:
    """A file that the command line names.

    Raises:
        UsageError: There is no such file.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise UsageError(f"{what}: {printable(path)} is no file")
        return open(path, "rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{what}: {printable(path)}: {reason}", hint="check the path") from error


def _read(path: str, what: str) -> bytes:
    """A key or signature file: of one too large, enough to say so."""
    with _open(path, what) as stream:
        try:
            return stream.read(limits.KEYRING_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> HostError:
    return HostError(f"{printable(path)} cannot be read: {error.strerror or error}")


def _tell(
    console: Console,
    path: str,
    place: str | None,
    found: SignedFile,
    trusted: _Trusted,
) -> None:
    finding = found.openpgp.deciding
    warnings = [
        *trusted.warnings,
        *(each for one in found.openpgp.findings for each in one.warnings),
    ]
    if found.authenticode is not None:
        warnings += found.authenticode.warnings
    reason = found.reason
    if finding.verdict is Verdict.UNTRUSTED and not trusted.keys.certificates:
        reason = f"{_DEVELOPMENT}; {_NAME_A_KEY}"
    console.result(
        {
            "file": path,
            "signature": place,
            "sha256": found.openpgp.sha256,
            "verdict": found.verdict.value,
            "reason": reason or None,
            "keyFingerprint": finding.fingerprint or None,
            "signer": finding.signer or None,
            "signatureTime": _moment(finding.created),
            "warnings": warnings,
            "authenticode": _authenticode(found.authenticode),
        }
    )
    signer = f' from "{printable(finding.signer)}"' if finding.signer else ""
    for warning in warnings:
        console.line(f"awstoe: warning: {printable(warning)}")
    if found.authenticode is not None:
        console.line(
            f"Authenticode: {found.authenticode.state}{printable(_about(found.authenticode))}"
        )
    if found.is_good:
        console.line(f"Good signature{signer}")
    else:
        word = "NO" if found.verdict is Verdict.UNSIGNED else "BAD"
        text = f"{word} signature{signer}: {printable(reason)}\n"
        console.raw(text.encode(errors="backslashreplace"))


def _about(found: "authenticode.SignatureResult") -> str:
    """Why an Authenticode signature is not good; whose it is, if it is."""
    return f": {found.reason}" if found.reason else f', by "{found.signer}"'


def _authenticode(found: "authenticode.SignatureResult | None") -> dict[str, object] | None:
    """What is said of a Windows program's own signature; None for other files."""
    if found is None:
        return None
    return {
        "verdict": found.state.value,
        "reason": found.reason,
        "signer": found.signer,
        "thumbprint": found.thumbprint,
        "signatureTime": found.signed_at and f"{found.signed_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _moment(seconds: int | None) -> str | None:
    """A time as JSON has it; unlike fromtimestamp(), also after 2038 on 32 bits."""
    if seconds is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
