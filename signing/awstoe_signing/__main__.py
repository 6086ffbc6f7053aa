"""Manages the keys and signatures of releases. Start with docs/trust.md.

A passphrase comes from the environment variable AWSTOE_SIGNING_PASSPHRASE, from the file that
AWSTOE_SIGNING_PASSPHRASE_FILE names, or from a prompt.
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
from awstoe_build.arguments import parsed
from awstoe_build.failure import exit_code_of
from awstoe_signing.authenticode import certificates as authenticode_certificates
from awstoe_signing.authenticode import command
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import ceremony, lifecycle
from awstoe_signing.keys.directory import (
    REGISTRY,
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
_PRODUCT: Final = "AWSTOE"
_ALARM_DAYS: Final = 180
"""``list --check`` reports keys in use and roots that expire sooner."""

_Options = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit code."""
    options = parsed(_parser(), arguments)
    command: Callable[[_Options], int] = options.command
    return exit_code_of(
        PROGRAM, lambda: command(options), interrupted="everything that is finished is kept"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[_Options], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=_sentence(help))
        made.add_argument("--directory", required=True, metavar="DIR", help="the folder of keys")
        made.set_defaults(command=run)
        return made

    made = add(
        "ceremony",
        _ceremony,
        "make all missing keys and the trust folder",
    )
    made.add_argument(
        "--rehearsal",
        action="store_true",
        help="make throw-away keys, without asking for a passphrase",
    )
    made.add_argument(
        "--product", default="", help=f"the product that the keys are for (default: {_PRODUCT})"
    )
    made.add_argument(
        "--user-id", default="", metavar="'NAME <ADDRESS>'", help="the OpenPGP user ID"
    )
    made.add_argument(
        "--url", default="", help="the address of releases, with {region} and {suffix}"
    )
    made.add_argument("--empty", action="store_true", help="only make the folder, for 'create'")
    _add_days(made)

    made = add("create", _exclusively(_create), "make one key, or register a key of AWS KMS")
    _add_purpose(made)
    made.add_argument(
        "--state",
        choices=["current", "next"],
        default="current",
        help="the state of the key (default: current)",
    )
    made.add_argument("--kms", default="", metavar="ARN", help="register this key of AWS KMS")
    _add_days(made)

    made = add("list", _list, "show the keys")
    made.add_argument("--json", action="store_true", help="print JSON")
    made.add_argument(
        "--check",
        action="store_true",
        help=f"exit with code 1 if a key or the root is missing or expires within"
        f" {_ALARM_DAYS} days",
    )

    made = add(
        "rotate",
        _exclusively(_rotate),
        "replace the current key with the next key, or with a new one",
    )
    _add_purpose(made)
    made.add_argument("--name", default="", help="the key to replace (default: the oldest)")
    made.add_argument(
        "--kms", default="", metavar="ARN", help="use this key of AWS KMS as the new key"
    )
    _add_days(made, lifecycle.ROTATED_DAYS)

    made = add("expire", _exclusively(_expire), "change the expiry of an OpenPGP key")
    made.add_argument("--name", required=True, help="the key")
    _add_days(made)

    made = add(
        "revoke", _exclusively(_revoke), "revoke a key: none of its signatures is trusted any more"
    )
    made.add_argument("--name", required=True, help="the key")
    made.add_argument(
        "--reason", choices=openpgp_certificates.REASONS, required=True, help="the reason"
    )
    made.add_argument("--text", default="", help="a comment about the reason")

    made = add(
        "request", _request, "print a certificate request for a public authority (Authenticode)"
    )
    made.add_argument("--name", required=True, help="the key")
    made.add_argument(
        "--subject", required=True, help="the publisher, RFC 4514: CN=...,O=...,C=..."
    )

    made = add(
        "certify", _exclusively(_certify), "register the certificate that a public authority issued"
    )
    made.add_argument("--name", required=True, help="the key")
    made.add_argument(
        "--chain",
        required=True,
        metavar="FILE",
        help="the PEM file of the certificates: the key's first, the root last",
    )

    add("trust", _exclusively(_trust), "write the trust folder again")

    made = add("sign", _sign, "sign files with OpenPGP: write FILE.sig beside each FILE")
    made.add_argument("--name", default="", help="the key (default: the current one)")
    made.add_argument(
        "--armor", action="store_true", help="write FILE.asc, in text form, instead of FILE.sig"
    )
    made.add_argument("files", nargs="+", metavar="FILE", help="the files to sign")

    made = add("sign-program", command.run, command.HELP)
    command.add_options(made)

    made = commands.add_parser("bundle", help=bundles.HELP, description=_sentence(bundles.HELP))
    made.set_defaults(command=bundles.run)
    bundles.add_options(made)
    return parser


def _exclusively(run: Callable[[_Options], int]) -> Callable[[_Options], int]:
    """Return a command that locks the folder of keys while it runs."""

    def run_locked(options: _Options) -> int:
        with locked(options.directory):
            return run(options)

    return run_locked


def _sentence(help: str) -> str:
    return f"{help[0].upper()}{help[1:]}."


def _add_days(parser: argparse.ArgumentParser, days: int = lifecycle.VALID_DAYS) -> None:
    parser.add_argument(
        "--days", type=int, default=days, help=f"the validity in days (default: {days})"
    )


def _add_purpose(parser: argparse.ArgumentParser) -> None:
    names = [purpose.value for purpose in Purpose]
    parser.add_argument(
        "--purpose",
        choices=names,
        required=True,
        metavar="PURPOSE",
        help=f"what the key signs: {', '.join(names)}",
    )


def _ceremony(options: _Options) -> int:
    is_there = os.path.exists(os.path.join(options.directory, REGISTRY))
    if not (options.rehearsal or options.user_id or is_there):
        raise SigningFailure(
            "the keys need a user ID", hint="name the holder: --user-id 'AWSTOE <ADDRESS>'"
        )
    with locked(options.directory, begin=True):
        keys = _open_or_make(options)
        if not options.empty:
            ceremony.complete(keys, now=_now(), days=options.days, say=print)
    return 0


def _open_or_make(options: _Options) -> KeyDirectory:
    """Return the folder of keys for a ceremony; made now if it does not exist.

    Raises:
        SigningFailure: It has keys for another purpose.
    """
    if options.rehearsal:
        keys = ceremony.prepare(options.directory)
        if not keys.release.is_rehearsal:
            raise SigningFailure(
                f"{keys.folder} has real keys, not those of a rehearsal", hint="use another folder"
            )
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
    """Check that the folder's keys are for the product on the command line.

    Raises:
        SigningFailure: The registry has another product.
    """
    found = keys.release
    if found.is_rehearsal:
        raise SigningFailure(
            f"{keys.folder} has the keys of a rehearsal",
            hint="use another folder, or add --rehearsal",
        )
    for option, wanted, registered in (
        ("--product", options.product, found.product),
        ("--user-id", options.user_id, found.user_id),
        ("--url", options.url, found.url),
    ):
        if wanted and wanted != registered:
            raise SigningFailure(
                f"{option}: {keys.path(REGISTRY)} has {registered!r}, got {wanted!r}"
            )


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
    """Check that everything exists that a release or the next rotation needs.

    Raises:
        SigningFailure: A key is missing, or the root that names the current keys.
    """
    keys.only(Purpose.OPENPGP)
    keys.only(Purpose.OPENPGP, KeyState.NEXT)
    if any(key.fingerprint for key in keys.facts(Purpose.AUTHENTICODE)):
        lifecycle.authenticode_key(keys)
    if not tuf_root.is_current(keys):
        rehearsal = " --rehearsal" if keys.release.is_rehearsal else ""
        raise SigningFailure(
            f"no root in {keys.path('metadata')} names the current keys of metadata: their"
            " signatures are not trusted",
            hint="sign the missing root: awstoe-signing ceremony --directory"
            f" {keys.folder}{rehearsal}",
        )


def _check_ends(ends: Sequence[tuple[str, int]], now: int) -> None:
    """Check that no key or root expires soon.

    Raises:
        SigningFailure: One or more do.
    """
    late = [
        f"{name} ({_end(end, now)})"
        for name, end in ends
        if lifecycle.days_left(end, now) < _ALARM_DAYS
    ]
    if late:
        raise SigningFailure(
            f"less than {_ALARM_DAYS} days left: {', '.join(late)}",
            hint="use awstoe-signing: rotate replaces a key, expire extends an OpenPGP key, rotate"
            " --purpose root signs the next root",
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
        print(f"revoked by the prepared revocation, which states no reason: {missing}")
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
            raise SigningFailure(f"{path} is not signed: the signature is not good: {found.reason}")
        target = f"{path}.asc" if options.armor else f"{path}.sig"
        replace_file(target, [text], durable=True)
        os.chmod(target, 0o644)
        print(f"{target}: signed by {key.public.fingerprint}")
    return 0


def _changed(keys: KeyDirectory, now: int) -> int:
    """Show the keys after a change, and write the trust folder again if it exists."""
    for key in keys.facts():
        print(_line(key, now))
    if not keys.facts(Purpose.OPENPGP, KeyState.CURRENT):
        print(
            "no key signs now; to use the next key, run: awstoe-signing rotate --purpose openpgp"
            f" --directory {keys.folder}"
        )
    elif os.path.exists(keys.path("trust")):
        print(f"trust: {trust_folder.write(keys)}")
        print("build and publish again: programs only know the keys that were baked into them")
        _warn_without_publisher(keys)
    return 0


def _warn_without_publisher(keys: KeyDirectory) -> None:
    known = [key for key in keys.facts(Purpose.AUTHENTICODE) if key.fingerprint]
    if known and all(key.state is KeyState.REVOKED for key in known):
        print(
            "but first certify another Authenticode key: every certificate is revoked, and Windows"
            " programs built with this trust accept no update"
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
