"""``awstoe verify-signature``: checks that a file was signed with a trusted key."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

from awstoe import limits
from awstoe.cli.options import Parser
from awstoe.cli.path_hints import path_hint
from awstoe.errors import HostError, UsageError
from awstoe.host.executable import frozen
from awstoe.host.files import plain_files
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
_NAME_A_KEY: Final = "use --key to name a key file"


class _Trusted(NamedTuple):
    """The trusted keys and publishers."""

    keys: Keyring
    publishers: Publishers
    warnings: tuple[str, ...]


class Subject(NamedTuple):
    """The program that runs the command."""

    path: str | None
    """Its single-file executable; None if it runs from sources."""
    trust: ReleaseTrust | None
    """The built-in release keys; None in a development build."""


def run(arguments: Sequence[str], console: Console) -> int:
    """Verify the file that the command line names, and return the exit code.

    Raises:
        UsageError: The options are not valid, or name files that do not exist.
        HostError: A file cannot be read, or no region can be reached.
        TrustError: The keys cannot be read.
    """
    path = frozen.executable() if frozen.is_frozen() else None
    return verify(arguments, console, Subject(path, release_trust.read()))


def verify(arguments: Sequence[str], console: Console, program: Subject) -> int:
    """Do the same as ``run``, for any program."""
    options = _parser().read(arguments)
    console.quiet = bool(options.quiet)
    path = options.file if options.file is not None else program.path
    if path is None:
        raise UsageError(
            "this copy of awstoe runs from its sources, which have no signature",
            hint="name the file to verify: awstoe verify-signature FILE",
        )
    if options.fetch and (options.file is not None or options.signature is not None):
        raise UsageError(
            "--fetch is only for the running program", hint="remove FILE and --signature"
        )
    if not options.fetch and (options.region is not None or options.url is not None):
        raise UsageError("--region and --url have no effect without --fetch", hint="add --fetch")
    trusted = _trusted(options.key, program.trust)
    with _open(path, "the file to verify") as file:
        place = options.signature or _beside(path)
        if place is not None:
            signature: bytes | None = _read(place, "--signature")
        elif options.fetch:
            # The HTTP library takes a tenth of a second to load.
            from awstoe.cli import fetch_signature

            template = options.url
            if template is None and program.trust is not None:
                template = program.trust.url
            place, signature = fetch_signature.fetch(template, options.region)
        else:
            signature = None
        try:
            result = _verify(file, path, signature, trusted)
        except OSError as error:
            raise _unreadable(path, error) from error
    _report(console, path, place, result, trusted)
    return 0 if result.is_good else 1


def _parser() -> Parser:
    parser = Parser(
        "verify-signature",
        "Check that a file (default: this program) was signed with a trusted key.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="the file to verify (default: this program)")
    add("--signature", metavar="SIG", help="its OpenPGP signature (default: FILE.sig)")
    add("--key", metavar="KEYFILE", help="trust these public keys instead of the built-in ones")
    parser.flag("--fetch", help="download the published signature if there is none")
    add("--region", metavar="REGION", help="with --fetch: the region to try first")
    add("--url", metavar="TEMPLATE", help="with --fetch: your own mirror of the releases")
    return parser


def _trusted(key: str | None, built_in: ReleaseTrust | None) -> _Trusted:
    """Return the trusted keys: those of the key file if one is given, else the built-in ones.

    With a key file, Authenticode signatures by other publishers than the built-in ones are reported
    but do not change the verdict.
    """
    publishers = built_in.publishers() if built_in else Publishers()
    if key is not None:
        keys = keyring.read(_read(key, "--key"), printable(key))
        return _Trusted(keys, publishers._replace(needed=False), ())
    if built_in is None:
        return _Trusted(Keyring([]), publishers, ())
    rehearsal = ("this program trusts the throw-away keys of a rehearsal",)
    warnings = rehearsal if built_in.is_rehearsal else ()
    return _Trusted(built_in.keyring(), publishers, warnings)


def _beside(path: str) -> str | None:
    return next((path + end for end in _SUFFIXES if os.path.isfile(path + end)), None)


def _verify(
    file: BufferedReader, path: str, signature: bytes | None, trusted: _Trusted
) -> SignedFile:
    now = int(time.time())
    if signature is not None:
        return signed_files.verify(file, signature, trusted.keys, trusted.publishers, now=now)
    reason = f"there is no signature: {path}{_SUFFIXES[0]} does not exist"
    return signed_files.unsigned(file, reason, trusted.publishers, now=now)


def _open(path: str, what: str) -> BufferedReader:
    """Open a file that the command line names.

    Raises:
        UsageError: There is no such file.
    """
    try:
        return open(plain_files.open_descriptor(path), "rb")
    except plain_files.NotPlainError as error:
        raise UsageError(f"{what}: {printable(path)} is not a file: {error.strerror}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{what}: {printable(path)}: {reason}", hint=path_hint(path)) from error


def _read(path: str, what: str) -> bytes:
    """Read a key or signature file; of one that is too large, enough to find that out."""
    with _open(path, what) as stream:
        try:
            return stream.read(limits.KEYRING_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> HostError:
    return HostError(f"{printable(path)} cannot be read: {error.strerror or error}")


def _report(
    console: Console,
    path: str,
    place: str | None,
    result: SignedFile,
    trusted: _Trusted,
) -> None:
    finding = result.openpgp.deciding
    authenticode_result = result.authenticode
    warnings = [
        *trusted.warnings,
        *(each for one in result.openpgp.findings for each in one.warnings),
    ]
    if authenticode_result is not None:
        warnings += authenticode_result.warnings
    reason = result.reason
    if finding.verdict is Verdict.UNTRUSTED and not trusted.keys.certificates:
        reason = f"{_DEVELOPMENT}; {_NAME_A_KEY}"
    console.result(
        {
            "file": path,
            "signature": place,
            "sha256": result.openpgp.sha256,
            "verdict": result.verdict.value,
            "reason": reason or None,
            "keyFingerprint": finding.fingerprint or None,
            "signer": finding.signer or None,
            "signatureTime": _moment(finding.created),
            "warnings": warnings,
            "authenticode": _authenticode_json(authenticode_result),
        }
    )
    signer = f' from "{printable(finding.signer)}"' if finding.signer else ""
    for warning in warnings:
        console.line(f"awstoe: warning: {printable(warning)}")
    if authenticode_result is not None:
        details = printable(_authenticode_details(authenticode_result))
        console.line(f"Authenticode: {authenticode_result.state}{details}")
    if result.is_good:
        console.line(f"Good signature{signer}")
    else:
        word = "NO" if result.verdict is Verdict.UNSIGNED else "BAD"
        text = f"{word} signature{signer}: {printable(reason)}\n"
        console.raw(text.encode(errors="backslashreplace"))


def _authenticode_details(result: "authenticode.SignatureResult") -> str:
    """Return why an Authenticode signature is not good, or its signer if it is."""
    return f": {result.reason}" if result.reason else f', by "{result.signer}"'


def _authenticode_json(
    result: "authenticode.SignatureResult | None",
) -> dict[str, object] | None:
    """Return the JSON for a Windows program's own signature; None for other files."""
    if result is None:
        return None
    return {
        "verdict": result.state.value,
        "reason": result.reason,
        "signer": result.signer,
        "thumbprint": result.thumbprint,
        "signatureTime": result.signed_at and f"{result.signed_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _moment(seconds: int | None) -> str | None:
    """Format a time for JSON. Unlike fromtimestamp(), this works after 2038 on 32-bit systems."""
    if seconds is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
