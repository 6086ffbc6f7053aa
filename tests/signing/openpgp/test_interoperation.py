"""gpg and Sequoia accept what we sign, and we accept what they sign."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import Verdict, Verification
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import KeyDirectory, Purpose
from awstoe_signing.openpgp import certificates as openpgp_certificates
from awstoe_signing.openpgp import sign as openpgp_signing
from awstoe_signing.tuf import trust_folder
from fakes.gnupg import GPG, SQ, Gpg, gpg, sq

needs_gpg = pytest.mark.skipif(GPG is None, reason="gpg is not installed")
needs_sq = pytest.mark.skipif(SQ is None, reason="sq is not installed")
DATA = b"a program\n" * 5000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


@pytest.fixture(scope="module")
def makers() -> Iterator[tuple[Gpg, dict[str, str]]]:
    """gpg with its own keys, and their fingerprints by name."""
    if GPG is None:
        pytest.skip("gpg is not installed")
    with gpg() as program:
        fingerprints = {
            name: program.make_key(f"{name} <{name}@example.com>", algorithm, "sign")
            for name, algorithm in (("rsa", "rsa3072"), ("ed", "ed25519"))
        }
        # A key that only certifies, with a subkey that signs.
        fingerprints["sub"] = program.make_key("sub <sub@example.com>", "ed25519", "cert")
        options = ("--passphrase", "", "--pinentry-mode", "loopback")
        added = program.run(
            *options, "--quick-add-key", fingerprints["sub"], "rsa3072", "sign", "2y"
        )
        assert added.returncode == 0, added.stderr.decode()
        yield program, fingerprints


def verdict_of(signature: bytes, keys: bytes, data: bytes = DATA) -> Verification:
    ring = keyring.read(keys, "keys")
    return openpgp.verify(io.BytesIO(data), signature, ring, now=int(time.time()))


def gpg_signature(
    makers: tuple[Gpg, dict[str, str]], names: list[str], file: Path, *options: str
) -> bytes:
    program, fingerprints = makers
    users = [word for name in names for word in ("--local-user", fingerprints[name])]
    output = ("--yes", "--output", file.with_suffix(".out"))
    made = program.run(*users, *options, *output, "--detach-sign", file)
    assert made.returncode == 0, made.stderr.decode()
    return file.with_suffix(".out").read_bytes()


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("name", ["rsa", "ed", "sub"])
@pytest.mark.parametrize("form", ["--armor", "--no-armor"])
def test_we_accept_what_gpg_signs(
    name: str, digest: str, form: str, file: Path, makers: tuple[Gpg, dict[str, str]]
) -> None:
    signature = gpg_signature(makers, [name], file, form, "--digest-algo", digest)
    exported = makers[0].export("--armor") if form == "--armor" else makers[0].export()
    finding = verdict_of(signature, exported).deciding
    assert finding.verdict is Verdict.GOOD, finding.reason
    assert finding.fingerprint == makers[1][name]
    assert finding.signer == f"{name} <{name}@example.com>"
    assert (finding.signing_key == finding.fingerprint) == (name != "sub")
    assert verdict_of(signature, exported, DATA[:-1]).deciding.verdict is Verdict.BAD


def test_we_accept_several_signatures_of_gpg_in_a_file(
    file: Path, makers: tuple[Gpg, dict[str, str]]
) -> None:
    verification = verdict_of(gpg_signature(makers, ["rsa", "ed", "sub"], file), makers[0].export())
    assert [each.verdict for each in verification.findings] == [Verdict.GOOD] * 3


def test_we_accept_additional_subpackets_of_gpg(
    file: Path, makers: tuple[Gpg, dict[str, str]]
) -> None:
    notes = ("--set-notation", "build@example.com=17", "--set-policy-url", "https://example.com/")
    signature = gpg_signature(makers, ["ed"], file, *notes, "--default-sig-expire", "3d")
    assert verdict_of(signature, makers[0].export()).is_good


def test_we_reject_sha1_signatures_of_gpg(file: Path, makers: tuple[Gpg, dict[str, str]]) -> None:
    signature = gpg_signature(makers, ["rsa"], file, "--digest-algo", "SHA1")
    finding = verdict_of(signature, makers[0].export()).deciding
    assert (finding.verdict, "SHA-1" in finding.reason) == (Verdict.BAD, True)


def test_we_reject_a_key_that_gpg_has_revoked(file: Path) -> None:
    if GPG is None:
        pytest.skip("gpg is not installed")
    with gpg() as program:
        fingerprint = program.make_key("gone <gone@example.com>", "ed25519", "sign")
        signature = gpg_signature((program, {"gone": fingerprint}), ["gone"], file)
        assert verdict_of(signature, program.export()).is_good
        guarded = program.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        program.take(guarded.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
        assert verdict_of(signature, program.export()).deciding.verdict is Verdict.REVOKED


@pytest.mark.slow
@needs_sq
@pytest.mark.parametrize("suite", ["cv25519", "rsa3k", "rsa4k"])
def test_we_accept_what_sequoia_signs(suite: str, file: Path, tmp_path: Path) -> None:
    secret, certificate = tmp_path / "secret", tmp_path / "certificate"
    user = "sq <sq@example.com>"
    run_sq("key", "generate", "--userid", user, "--cipher-suite", suite, "--export", secret)
    run_sq("key", "extract-cert", "-o", certificate, secret)
    keys = certificate.read_bytes()
    for form in ((), ("--binary",)):
        path = tmp_path / f"signature{len(form)}"
        run_sq("sign", *form, "--detached", "--signer-key", secret, "-o", path, file)
        finding = verdict_of(path.read_bytes(), keys).deciding
        assert (finding.verdict, finding.signer) == (Verdict.GOOD, user), finding.reason
        assert verdict_of(path.read_bytes(), keys, DATA + b"x").deciding.verdict is Verdict.BAD


def run_sq(*arguments: str | Path) -> None:
    done = sq(arguments)
    assert done.returncode == 0, done.stderr.decode()


def verifies_with_sq(certificate: str, signature: Path, file: Path) -> bool:
    arguments = ("verify", "--signer-cert", certificate, "--detached", signature, file)
    return sq(arguments).returncode == 0


def signed(keys: KeyDirectory, file: Path) -> bytes:
    with file.open("rb") as stream:
        key, _ = lifecycle.openpgp_key(keys)
        return openpgp_signing.detached(key, stream, int(time.time()))


@needs_gpg
def test_gpg_accepts_what_we_sign_with_the_commands_of_the_guide(
    keys: KeyDirectory, file: Path
) -> None:
    trust_folder.write(keys)
    signature = file.with_suffix(".sig")
    signature.write_bytes(signed(keys, file))
    with gpg() as program:
        assert program.run("--import", keys.path("trust", "awstoe.gpg")).returncode == 0
        current = keys.only(Purpose.OPENPGP).fingerprint
        output = program.run("--fingerprint", "--with-colons", current).stdout.decode()
        assert f"fpr:::::::::{current}:" in output
        good = program.run("--verify", signature, file)
        assert good.returncode == 0
        assert b'Good signature from "AWSTOE (rehearsal' in good.stderr
        file.write_bytes(DATA + b"x")
        bad = program.run("--verify", signature, file)
        assert bad.returncode == 1
        assert b"BAD signature" in bad.stderr


@needs_gpg
def test_gpg_reads_our_key_correctly(keys: KeyDirectory) -> None:
    key = keys.only(Purpose.OPENPGP)
    with gpg() as program:
        program.take(keys.read("public", f"{key.name}.asc"))
        rows = program.run("--list-keys", "--with-colons", key.fingerprint).stdout.decode()
        public = next(row for row in rows.splitlines() if row.startswith("pub:")).split(":")
        bits, algorithm, created, expires, uses = (public[at] for at in (2, 3, 5, 6, 11))
        assert (bits, algorithm) == ("4096", "1")
        assert (int(created), int(expires)) == (key.created, key.expires)
        assert uses == "scSC"
        checked = program.run("--check-signatures", "--with-colons", key.fingerprint)
        assert "\nsig:!:" in checked.stdout.decode()


@needs_sq
def test_sequoia_accepts_what_we_sign(keys: KeyDirectory, file: Path) -> None:
    signature = file.with_suffix(".sig")
    signature.write_bytes(signed(keys, file))
    certificate = keys.path("public", f"{keys.only(Purpose.OPENPGP).name}.asc")
    command: list[str | Path] = [
        "verify",
        "--signer-cert",
        certificate,
        "--detached",
        signature,
        file,
    ]
    assert sq(command).returncode == 0
    file.write_bytes(DATA[1:])
    assert sq(command).returncode != 0


@needs_gpg
@needs_sq
def test_signatures_from_before_a_renewal_stay_good(keys: KeyDirectory, file: Path) -> None:
    """Sequoia judges a key by its state when it signed: the old self-signature must stay."""
    now = int(time.time())
    signature = file.with_suffix(".sig")
    signature.write_bytes(signed(keys, file))
    name = keys.only(Purpose.OPENPGP).name
    key, path = keys.key(name), keys.path("public", f"{name}.asc")
    renewed = openpgp_certificates.renew(
        lifecycle.certificate(keys, key), keys.open(key), now=now + 2, expires=now + 9_000_000
    )
    keys.write(openpgp_signing.armored(renewed.to_bytes(), "PUBLIC KEY BLOCK"), path)
    while time.time() < now + 2:
        time.sleep(0.1)
    assert verdict_of(signature.read_bytes(), Path(path).read_bytes()).is_good
    assert verifies_with_sq(path, signature, file)
    with gpg() as program:
        program.take(Path(path).read_bytes())
        assert program.accepts(signature, file)


@needs_gpg
@needs_sq
def test_all_three_programs_reject_a_revoked_key(keys: KeyDirectory, file: Path) -> None:
    now = int(time.time())
    signature = file.with_suffix(".sig")
    signature.write_bytes(signed(keys, file))
    name = keys.only(Purpose.OPENPGP).name
    lifecycle.revoke(keys, name, now=now, reason="compromised", text="laptop lost")
    path = keys.path("public", f"{name}.asc")
    finding = verdict_of(signature.read_bytes(), Path(path).read_bytes()).deciding
    assert (finding.verdict, "compromised" in finding.reason) == (Verdict.REVOKED, True)
    assert not verifies_with_sq(path, signature, file)
    with gpg() as program:
        program.take(Path(path).read_bytes())
        assert b"REVKEYSIG" in program.run("--verify", signature, file).stderr


@needs_gpg
def test_the_prepared_revocation_works_without_the_key(keys: KeyDirectory, file: Path) -> None:
    signature = file.with_suffix(".sig")
    signature.write_bytes(signed(keys, file))
    name = keys.only(Purpose.OPENPGP).name
    Path(keys.path("private", f"{name}.pem")).unlink()
    with gpg() as program:
        program.take(keys.read("public", f"{name}.asc"))
        program.take(keys.read("revocations", f"{name}.asc"))
        assert b"REVKEYSIG" in program.run("--verify", signature, file).stderr
    lifecycle.revoke(keys, name, now=int(time.time()), reason="unspecified")
    verification = verdict_of(signature.read_bytes(), keys.read("public", f"{name}.asc"))
    assert verification.deciding.verdict is Verdict.REVOKED
