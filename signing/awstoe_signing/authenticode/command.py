"""``sign-program``: signs Windows programs in place, and verifies them with osslsigncode too."""

import argparse
import os
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from awstoe.trust.release_trust import STAMP_ROOTS
from awstoe_signing.authenticode import osslsigncode
from awstoe_signing.authenticode import sign as authenticode
from awstoe_signing.authenticode.timestamp import Server
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory

HELP: Final = "sign Windows programs in place (Authenticode)"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options, besides the folder of keys."""
    parser.add_argument("--name", default="", help="the key (default: the current one)")
    parser.add_argument("--title", default="awstoe", help="the program's name in Windows dialogs")
    parser.add_argument("--page", default="", metavar="URL", help="a page about the program")
    parser.add_argument(
        "--time-stamp",
        default="",
        metavar="URL",
        help=f"a timestamp server (RFC 3161); public/{STAMP_ROOTS} has its root certificate",
    )
    parser.add_argument(
        "--at", default="", metavar="TIME", help="the time of signing, ISO 8601 (default: now)"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="the programs to sign")


def run(options: argparse.Namespace) -> int:
    """Sign the files on the command line. Return the exit code.

    Raises:
        SigningFailure: A file cannot be signed. Those before it are.
    """
    keys = KeyDirectory(options.directory)
    key, certificates = lifecycle.authenticode_key(keys, options.name)
    identity = authenticode.SigningIdentity(keys.open(key), certificates)
    description = authenticode.Description(options.title, options.page or keys.release.url)
    url = options.time_stamp
    server = Server(url, _timestamp_authorities(keys)) if url else None
    authorities = server.roots if server else ()
    at = _time(options.at)
    for path in options.files:
        verdict = authenticode.sign(
            path, path, identity=identity, description=description, at=at, authority=server
        )
        accepted = osslsigncode.accepts(
            path, roots=certificates[-1:], timestamp_authorities=authorities, at=at
        )
        opinion = "osslsigncode accepts it" if accepted else "osslsigncode is not installed"
        print(f"{path}: signed by {verdict.thumbprint}; {opinion}")
    return 0


def _timestamp_authorities(keys: KeyDirectory) -> list[x509.Certificate]:
    path = keys.path("public", STAMP_ROOTS)
    if not os.path.exists(path):
        raise SigningFailure(
            f"{path} does not exist: a timestamp needs a trusted timestamp authority",
            hint="put the root certificate of the timestamp authority there, as PEM",
        )
    try:
        return x509.load_pem_x509_certificates(keys.read("public", STAMP_ROOTS))
    except ValueError as error:
        raise SigningFailure(f"{path} has no certificates: {error}") from error


def _time(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SigningFailure(
            f"--at: expected a time like 2026-01-31T12:00:00Z, got {text}"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
