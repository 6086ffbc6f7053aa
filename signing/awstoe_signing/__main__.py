"""``python -m awstoe_signing``: keys and signatures of releases. ``docs/trust.md`` explains it.

A passphrase is asked for at the terminal, or taken from the environment variable
AWSTOE_SIGNING_PASSPHRASE, or from the file that AWSTOE_SIGNING_PASSPHRASE_FILE names.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from awstoe.host.files.own_files import replace_file
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import KeyState, Verdict
from awstoe_signing.authenticode import certificates as authenticode_certificates
from awstoe_signing.authenticode import command
from awstoe_signing.failure import SigningFailure, exit_code_of
from awstoe_signing.keys import ceremony, lifecycle
from awstoe_signing.keys.directory import (
    BOOK,
    KeyDirectory,
    KeyFacts,
    Purpose,
    ReleaseKeys,
    locked,
    moment,
)
from awstoe_signing.openpgp import certificates as openpgp_certificates
from awstoe_signing.openpgp import sign as signing
from awstoe_signing.tuf import bundles, trust_folder
from awstoe_signing.tuf import root as tuf_root

PROGRAM: Final = "awstoe-signing"
_DAYS: Final = 1095
_PRODUCT: Final = "AWSTOE"
_ALARM_DAYS: Final = 180
"""A key in use, or a root, that has less left is named by ``list --check``."""

_Options = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; gives the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[_Options], int] = options.command
    return exit_code_of(
        PROGRAM, lambda: command(options), interrupted="everything that is finished is kept"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[_Options], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.add_argument("--directory", required=True, metavar="DIR", help="the folder of keys")
        made.set_defaults(command=run)
        return made

    made = add(
        "ceremony",
        _ceremony,
        "make all keys that are missing, and the folder of trust",
    )
    made.add_argument("--rehearsal", action="store_true", help="throw-away keys, no passphrase")
    made.add_argument("--product", default="", help=f"what the keys are for (default {_PRODUCT})")
    made.add_argument("--user-id", default="", metavar="'NAME <ADDRESS>'", help="of OpenPGP keys")
    made.add_argument("--url", default="", help="where releases are published")
    made.add_argument("--empty", action="store_true", help="make the folder only, for 'create'")
    _add_days(made)

    made = add("create", _alone(_create), "make one key, or take one of AWS KMS into the book")
    _add_purpose(made)
    made.add_argument("--state", choices=["current", "next"], default="current")
    made.add_argument("--kms", default="", metavar="ARN", help="a key of AWS KMS")
    _add_days(made)

    made = add("list", _list, "show the keys")
    made.add_argument("--json", action="store_true", help="print JSON")
    made.add_argument(
        "--check",
        action="store_true",
        help=f"exit code 1 when a key or the root expires within {_ALARM_DAYS} days",
    )

    made = add("rotate", _alone(_rotate), "let the next key, or a new one, sign from now on")
    _add_purpose(made)
    made.add_argument("--name", default="", help="the key that it replaces (default the oldest)")
    made.add_argument("--kms", default="", metavar="ARN", help="the new key, at AWS KMS")
    _add_days(made, 2 * _DAYS)

    made = add("expire", _alone(_expire), "give an OpenPGP key another expiry")
    made.add_argument("--name", required=True, help="the key")
    _add_days(made)

    made = add(
        "revoke", _alone(_revoke), "take a key back: nothing that it has signed counts any more"
    )
    made.add_argument("--name", required=True, help="the key")
    made.add_argument("--reason", choices=openpgp_certificates.REASONS, required=True)
    made.add_argument("--text", default="", help="the same in words")

    made = add("request", _request, "what a public authority is asked to certify (Authenticode)")
    made.add_argument("--name", required=True, help="the key")
    made.add_argument("--subject", required=True, help="RFC 4514: CN=...,O=...,C=...")

    made = add(
        "certify", _alone(_certify), "take the certificate of a public authority into the book"
    )
    made.add_argument("--name", required=True, help="the key")
    made.add_argument("--chain", required=True, metavar="PEM", help="certificate first, root last")

    add("trust", _alone(_trust), "write the folder of trust anew")

    made = add("sign", _sign, "sign files: FILE.sig beside each")
    made.add_argument("--name", default="", help="another key than the current one")
    made.add_argument("--armor", action="store_true", help="write text instead, FILE.asc")
    made.add_argument("files", nargs="+", metavar="FILE")

    made = add("sign-program", command.run, command.HELP)
    command.add_options(made)

    made = commands.add_parser("bundle", help=bundles.HELP, description=bundles.HELP)
    made.set_defaults(command=bundles.run)
    bundles.add_options(made)
    return parser


def _alone(run: Callable[[_Options], int]) -> Callable[[_Options], int]:
    """A command that changes keys, while no other one does."""

    def alone(options: _Options) -> int:
        with locked(options.directory):
            return run(options)

    return alone


def _add_days(parser: argparse.ArgumentParser, days: int = _DAYS) -> None:
    parser.add_argument("--days", type=int, default=days, help=f"valid so long (default {days})")


def _add_purpose(parser: argparse.ArgumentParser) -> None:
    names = [purpose.value for purpose in Purpose]
    parser.add_argument("--purpose", choices=names, required=True)


def _ceremony(options: _Options) -> int:
    is_there = os.path.exists(os.path.join(options.directory, BOOK))
    if not (options.rehearsal or options.user_id or is_there):
        raise SigningFailure(
            "whose keys are these?", hint="name the holder: --user-id 'AWSTOE <ADDRESS>'"
        )
    with locked(options.directory, begin=True):
        keys = _begun(options)
        if not options.empty:
            ceremony.complete(keys, now=_now(), days=options.days, say=print)
    return 0


def _begun(options: _Options) -> KeyDirectory:
    """The folder that the ceremony was begun with, or begins with.

    Raises:
        SigningFailure: It holds other keys than are asked for.
    """
    if options.rehearsal:
        keys = ceremony.prepare(options.directory)
        if not keys.release.is_rehearsal:
            raise SigningFailure(f"{keys.folder} holds keys that matter: no rehearsal here")
    else:
        release = ReleaseKeys(
            options.product or _PRODUCT,
            options.user_id,
            options.url or ceremony.REHEARSAL.url,
            is_rehearsal=False,
        )
        keys = KeyDirectory(options.directory, release)
        _check_same(keys, options)
    return keys


def _check_same(keys: KeyDirectory, options: _Options) -> None:
    """Refuse to go on with a set of keys that is another one than was asked for.

    Raises:
        SigningFailure: The book says something else.
    """
    found = keys.release
    if found.is_rehearsal:
        raise SigningFailure(
            f"{keys.folder} holds the keys of a rehearsal",
            hint="name another folder, or give --rehearsal",
        )
    for option, asked, said in (
        ("--product", options.product, found.product),
        ("--user-id", options.user_id, found.user_id),
        ("--url", options.url, found.url),
    ):
        if asked and asked != said:
            raise SigningFailure(f"{option}: {keys.path(BOOK)} says {said!r}, got {asked!r}")


def _create(options: _Options) -> int:
    now = _now()
    made = lifecycle.create(
        KeyDirectory(options.directory),
        Purpose(options.purpose),
        now=now,
        expires=lifecycle.after(now, options.days),
        state=KeyState(options.state),
        kms=options.kms,
    )
    print(_line(made, now))
    return 0


def _list(options: _Options) -> int:
    keys, now = KeyDirectory(options.directory), _now()
    found = keys.facts()
    root = tuf_root.newest(keys)
    if options.json:
        rows = [
            {**key._asdict(), "created": _shown(key.created), "expires": _shown(key.expires)}
            for key in found
        ]
        named = {"name": root[0], "expires": _shown(root[1])} if root else None
        print(json.dumps({"keys": rows, "root": named}, indent=4))
    else:
        for key in found:
            print(_line(key, now))
        if root:
            print(f"{root[0]:16} {KeyState.CURRENT:8} {_end(root[1], now)}")
    if options.check:
        used = (KeyState.CURRENT, KeyState.NEXT)
        ends = [(key.name, key.expires) for key in found if key.state in used and key.expires]
        _check_ends([*ends, root] if root else ends, now)
        _check_complete(keys)
    return 0


def _check_complete(keys: KeyDirectory) -> None:
    """Fail when something is missing that a release, or the next rotation, needs.

    Raises:
        SigningFailure: A key is, or the root that names the current keys.
    """
    keys.only(Purpose.OPENPGP)
    keys.only(Purpose.OPENPGP, KeyState.NEXT)
    if any(key.fingerprint for key in keys.facts(Purpose.AUTHENTICODE)):
        lifecycle.authenticode_key(keys)
    if not tuf_root.is_current(keys):
        raise SigningFailure(
            f"no root in {keys.path('metadata')} names the current keys of metadata: nothing that"
            " they sign counts",
            hint="'ceremony' signs the root that is missing",
        )


def _check_ends(ends: Sequence[tuple[str, int]], now: int) -> None:
    """Fail when something ends soon.

    Raises:
        SigningFailure: What, and when.
    """
    late = [
        f"{name} ({_end(end, now)})"
        for name, end in ends
        if lifecycle.days_left(end, now) < _ALARM_DAYS
    ]
    if late:
        raise SigningFailure(
            f"less than {_ALARM_DAYS} days left: {', '.join(late)}",
            hint="'rotate' replaces a key, 'expire' gives an OpenPGP key another expiry; 'rotate"
            " --purpose root' signs the next root",
        )


def _rotate(options: _Options) -> int:
    keys, now = KeyDirectory(options.directory), _now()
    expires = lifecycle.after(now, options.days)
    purpose = Purpose(options.purpose)
    lifecycle.rotate(keys, purpose, now=now, expires=expires, kms=options.kms, name=options.name)
    return _changed(keys, now)


def _expire(options: _Options) -> int:
    keys, now = KeyDirectory(options.directory), _now()
    lifecycle.expire(keys, options.name, now=now, expires=lifecycle.after(now, options.days))
    return _changed(keys, now)


def _revoke(options: _Options) -> int:
    keys, now = KeyDirectory(options.directory), _now()
    missing = lifecycle.revoke(
        keys, options.name, now=now, reason=options.reason, text=options.text
    )
    if missing:
        print(f"revoked by the revocation made with the key, which states no reason: {missing}")
    return _changed(keys, now)


def _request(options: _Options) -> int:
    keys = KeyDirectory(options.directory)
    try:
        subject = x509.Name.from_rfc4514_string(options.subject)
    except ValueError as error:
        raise SigningFailure(f"--subject: expected CN=...,O=...,C=..., got {error}") from error
    made = authenticode_certificates.request(keys.open(keys.key(options.name)), subject)
    print(made.public_bytes(serialization.Encoding.PEM).decode(), end="")
    return 0


def _certify(options: _Options) -> int:
    keys = KeyDirectory(options.directory)
    try:
        with open(options.chain, "rb") as stream:
            chain = x509.load_pem_x509_certificates(stream.read())
    except (OSError, ValueError) as error:
        raise SigningFailure(f"--chain {options.chain}: {error}") from error
    lifecycle.certify(keys, options.name, chain)
    return _changed(keys, _now())


def _trust(options: _Options) -> int:
    print(trust_folder.write(KeyDirectory(options.directory)))
    return 0


def _sign(options: _Options) -> int:
    keys, now = KeyDirectory(options.directory), _now()
    key, ring = lifecycle.openpgp_key(keys, options.name)
    for path in options.files:
        try:
            with open(path, "rb") as stream:
                signature = signing.detached(key, stream, now)
                text = signing.armored(signature, signing.SIGNATURE) if options.armor else signature
                stream.seek(0)
                found = openpgp.verify(stream, text, ring, now=now).deciding
        except OSError as error:
            raise SigningFailure(f"{path} cannot be read: {error.strerror}") from error
        if found.verdict is not Verdict.GOOD:
            raise SigningFailure(f"{path} is not signed: nobody would accept it: {found.reason}")
        target = f"{path}.asc" if options.armor else f"{path}.sig"
        replace_file(target, [text], durable=True)
        os.chmod(target, 0o644)
        print(f"{target}: signed by {key.public.fingerprint}")
    return 0


def _changed(keys: KeyDirectory, now: int) -> int:
    """Show the keys after a change, and write the folder of trust where there is one."""
    for key in keys.facts():
        print(_line(key, now))
    if not keys.facts(Purpose.OPENPGP, KeyState.CURRENT):
        print("no key signs now: rotate --purpose openpgp lets the next one sign")
    elif os.path.exists(keys.path("trust")):
        print(f"trust: {trust_folder.write(keys)}")
        print("build and publish again: programs know what was baked into them")
        _warn_of_no_publisher(keys)
    return 0


def _warn_of_no_publisher(keys: KeyDirectory) -> None:
    known = [key for key in keys.facts(Purpose.AUTHENTICODE) if key.fingerprint]
    if known and all(key.state is KeyState.REVOKED for key in known):
        print(
            "but certify another Authenticode key before: every certificate is revoked, and a"
            " Windows program that is built so takes no update"
        )


def _line(key: KeyFacts, now: int) -> str:
    end = "" if key.expires is None else f", {_end(key.expires, now)}"
    return f"{key.name:16} {key.state:8} {key.fingerprint or 'no certificate yet'}{end}"


def _end(expires: int, now: int) -> str:
    if expires <= now:
        return f"expired {_shown(expires)}"
    return f"expires {_shown(expires)}, {lifecycle.days_left(expires, now)} days left"


def _shown(seconds: int | None) -> str | None:
    return None if seconds is None else f"{moment(seconds):%Y-%m-%d}"


def _now() -> int:
    return int(time.time())


if __name__ == "__main__":
    sys.exit(main())
