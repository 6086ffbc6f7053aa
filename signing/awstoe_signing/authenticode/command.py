"""``sign-program``: signs Windows programs in place, and asks osslsigncode whether it agrees."""

import argparse
import os
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from awstoe.trust.release_trust import STAMP_ROOTS
from awstoe_signing import programs
from awstoe_signing.authenticode import sign as authenticode
from awstoe_signing.authenticode.timestamp import Server
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory

HELP: Final = "sign Windows programs in place (Authenticode)"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes besides the folder of keys."""
    parser.add_argument("--name", default="", help="another key than the current one")
    parser.add_argument("--title", default="awstoe", help="what Windows calls the program")
    parser.add_argument("--page", default="", metavar="URL", help="where to read about it")
    parser.add_argument(
        "--time-stamp",
        default="",
        metavar="URL",
        help=f"a server (RFC 3161); its authority's certificate is public/{STAMP_ROOTS}",
    )
    parser.add_argument(
        "--at", default="", metavar="TIME", help="ISO 8601: another time of signing than now"
    )
    parser.add_argument("files", nargs="+", metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Sign what the command line names.

    Raises:
        SigningFailure: A file cannot be signed; those before it are.
    """
    keys = KeyDirectory(options.directory)
    key, certificates = lifecycle.authenticode_key(keys, options.name)
    identity = authenticode.SigningIdentity(keys.open(key), certificates)
    description = authenticode.Description(options.title, options.page or keys.release.url)
    server = Server(options.time_stamp, _stampers(keys)) if options.time_stamp else None
    stampers = server.roots if server else ()
    at = _time(options.at)
    for path in options.files:
        verdict = authenticode.sign(
            path, path, identity=identity, description=description, at=at, authority=server
        )
        agreed = programs.osslsigncode_agrees(
            path, roots=certificates[-1:], stampers=stampers, at=at
        )
        opinion = "osslsigncode agrees" if agreed else "osslsigncode is not here to be asked"
        print(f"{path}: signed by {verdict.thumbprint}; {opinion}")
    return 0


def _stampers(keys: KeyDirectory) -> list[x509.Certificate]:
    path = keys.path("public", STAMP_ROOTS)
    if not os.path.exists(path):
        raise SigningFailure(
            f"{path} is missing: whose time stamps are to be believed?",
            hint="put the root certificate of the time stamp authority there, as PEM",
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
            f"--at: expected a time as 2026-01-31T12:00:00Z, got {text}"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
