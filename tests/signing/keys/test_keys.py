"""The life cycle of keys through the command line, and what programs learn of it."""

import io
import json
import os
import re
import shlex
import stat
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe.trust import release_trust
from awstoe.trust.authenticode.chain import CODE_SIGNING
from awstoe.trust.openpgp import verify as openpgp
from awstoe.trust.policy import KeyState, Verdict
from awstoe.trust.release_trust import ReleaseTrust
from awstoe_signing import __main__ as command_line
from awstoe_signing.authenticode import certificates as authenticode_certificates
from awstoe_signing.authenticode.certificates import Validity
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys import directory, lifecycle
from awstoe_signing.keys.directory import METADATA, KeyDirectory, KeyFacts, Purpose, ReleaseKeys
from awstoe_signing.keys.signers import LocalSigner
from awstoe_signing.tuf import repository as tuf_repository
from awstoe_signing.tuf import root as tuf_root
from awstoe_signing.tuf import trust_folder

ROOT = Path(__file__).parents[3]
DATA = b"a program\n"
TIMELESS = """[release]
product='x'\nuser_id='x'\nurl=''\nis_rehearsal=true
[[keys]]
name='x'\npurpose='root'\nstate='current'\nbackend='file'\nfingerprint=''\ncreated={}
"""


def run(*arguments: str) -> int:
    return command_line.main(arguments)


def sign(keys: KeyDirectory, file: Path, name: str = "") -> bytes:
    options = ("--name", name) if name else ()
    file.write_bytes(DATA)
    assert run("sign", "--directory", keys.folder, *options, str(file)) == 0
    return file.with_name(file.name + ".sig").read_bytes()


def baked_in(keys: KeyDirectory) -> ReleaseTrust:
    found = release_trust.read(keys.path("trust"))
    assert found is not None
    return found


def judged(signature: bytes, keys: KeyDirectory) -> Verdict:
    ring = baked_in(keys).keyring()
    now = int(time.time())
    return openpgp.verify(io.BytesIO(DATA), signature, ring, now=now).deciding.verdict


def test_a_rehearsal_is_complete(keys: KeyDirectory) -> None:
    found = {purpose: len(keys.facts(purpose)) for purpose in Purpose}
    assert found == {
        Purpose.OPENPGP: 2,
        Purpose.AUTHENTICODE: 1,
        Purpose.ROOT: 3,
        Purpose.TARGETS: 1,
        Purpose.SNAPSHOT: 1,
        Purpose.TIMESTAMP: 1,
    }
    root = json.loads(keys.read("metadata", "1.root.json"))["signed"]["roles"]
    assert {role: (len(each["keyids"]), each["threshold"]) for role, each in root.items()} == {
        "root": (3, 2),
        "targets": (1, 1),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
    }
    current, following = keys.only(Purpose.OPENPGP), keys.only(Purpose.OPENPGP, KeyState.NEXT)
    assert current.expires is not None
    assert following.expires is not None
    assert current.expires < following.expires


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_the_owner_can_read_private_keys(keys: KeyDirectory) -> None:
    assert stat.S_IMODE(os.stat(keys.path("private")).st_mode) == 0o700
    for entry in os.scandir(keys.path("private")):
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600


def test_every_private_key_is_encrypted_and_none_is_in_the_registry(keys: KeyDirectory) -> None:
    for path in Path(keys.path("private")).glob("*.pem"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    published = [keys.read("keys.toml")]
    published += [path.read_bytes() for path in Path(keys.path("public")).iterdir()]
    published += [path.read_bytes() for path in Path(keys.path("trust")).iterdir()]
    assert not any(b"PRIVATE" in data for data in published)


def test_the_baked_in_trust_has_both_keys(keys: KeyDirectory, tmp_path: Path) -> None:
    trust = baked_in(keys)
    assert trust.is_rehearsal
    assert list(trust.openpgp.values()) == [KeyState.CURRENT, KeyState.NEXT]
    assert trust.root == keys.read("metadata", "1.root.json")
    for key in keys.facts(Purpose.OPENPGP):
        assert judged(sign(keys, tmp_path / "file", key.name), keys) is Verdict.GOOD
    publishers = trust.publishers()
    assert publishers.needed
    chain = lifecycle.read_chain(keys, keys.only(Purpose.AUTHENTICODE))
    assert x509.load_pem_x509_certificates(publishers.roots) == chain[1:]


def test_timestamp_authorities_are_baked_in_as_well(keys: KeyDirectory) -> None:
    assert baked_in(keys).stamp_roots == b""
    root = keys.read("public", "authenticode-1.pem")
    keys.write(root, "public", release_trust.STAMP_ROOTS)
    assert run("trust", "--directory", keys.folder) == 0
    assert baked_in(keys).stamp_roots == root
    os.unlink(keys.path("public", release_trust.STAMP_ROOTS))
    assert run("trust", "--directory", keys.folder) == 0
    assert baked_in(keys).stamp_roots == b""


def test_a_ceremony_continues_after_an_interruption(keys: KeyDirectory) -> None:
    before = keys.facts()
    assert run("ceremony", "--directory", keys.folder, "--rehearsal") == 0
    assert KeyDirectory(keys.folder).facts() == before
    assert not os.path.exists(keys.path("metadata", "2.root.json"))


def test_a_ceremony_continues_after_a_key_file_that_is_not_registered(
    keys: KeyDirectory, tmp_path: Path
) -> None:
    folder = str(tmp_path / "interrupted")
    assert run("ceremony", "--directory", folder, "--rehearsal", "--empty") == 0
    orphan = tmp_path / "interrupted" / "private" / "timestamp-1.pem"
    orphan.write_bytes(keys.read("private", "timestamp-1.pem")[:100])
    assert run("create", "--directory", folder, "--purpose", "timestamp") == 0
    assert [key.name for key in KeyDirectory(folder).facts()] == ["timestamp-2"]


@pytest.mark.parametrize("purpose", [Purpose.OPENPGP, Purpose.AUTHENTICODE, Purpose.TARGETS])
def test_an_interrupted_rotation_leaves_one_key_that_signs(
    purpose: Purpose, keys: KeyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = keys.only(purpose)
    following = keys.facts(purpose, KeyState.NEXT)
    put = KeyDirectory.put

    def put_and_interrupt(self: KeyDirectory, *changed: KeyFacts) -> None:
        put(self, *changed)
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyDirectory, "put", put_and_interrupt)
    assert run("rotate", "--directory", keys.folder, "--purpose", purpose) == 130
    after = KeyDirectory(keys.folder)
    assert after.only(purpose).name != old.name
    assert after.key(old.name).state is KeyState.RETIRED
    assert len(after.facts(purpose, KeyState.NEXT)) == len(following)


def test_a_ceremony_signs_the_root_that_an_interrupted_rotation_did_not(
    keys: KeyDirectory,
) -> None:
    now = int(time.time())
    old = keys.only(Purpose.TIMESTAMP)
    retired = [old._replace(state=KeyState.RETIRED)]
    made = lifecycle.create(keys, Purpose.TIMESTAMP, now=now, expires=now + 5, together=retired)
    assert not tuf_root.is_current(keys)
    assert run("ceremony", "--directory", keys.folder, "--rehearsal") == 0
    assert tuf_root.is_current(keys)
    root = tuf_repository.MetadataRepository(keys.path("metadata")).root()
    assert root.roles["timestamp"].keyids == [made.fingerprint]


@pytest.mark.slow
def test_after_a_rotation_the_next_key_signs_and_the_old_one_stays_trusted(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = sign(keys, tmp_path / "file")
    first, second = keys.facts(Purpose.OPENPGP)
    assert run("rotate", "--directory", keys.folder, "--purpose", "openpgp") == 0
    keys = KeyDirectory(keys.folder)
    states = {key.name: key.state for key in keys.facts(Purpose.OPENPGP)}
    assert states == {
        first.name: KeyState.RETIRED,
        second.name: KeyState.CURRENT,
        "openpgp-3": KeyState.NEXT,
    }
    new = sign(keys, tmp_path / "file")
    assert (judged(old, keys), judged(new, keys)) == (Verdict.GOOD, Verdict.GOOD)
    capsys.readouterr()
    assert run("sign", "--directory", keys.folder, "--name", first.name, str(tmp_path)) == 1
    assert "retired key for openpgp: it does not sign" in capsys.readouterr().err


@pytest.mark.slow
def test_a_revoked_key_is_not_trusted(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signature = sign(keys, tmp_path / "file")
    name = keys.only(Purpose.OPENPGP).name
    reason = ("--reason", "compromised")
    assert run("revoke", "--directory", keys.folder, "--name", name, *reason) == 0
    assert KeyDirectory(keys.folder).key(name).state is KeyState.REVOKED
    assert "no key signs now" in capsys.readouterr().out
    assert run("rotate", "--directory", keys.folder, "--purpose", "openpgp") == 0
    keys = KeyDirectory(keys.folder)
    assert judged(signature, keys) is Verdict.REVOKED
    assert judged(sign(keys, tmp_path / "file"), keys) is Verdict.GOOD


def test_the_registry_alone_revokes_a_key(keys: KeyDirectory, tmp_path: Path) -> None:
    """An attacker may present the certificate without its revocation."""
    signature = sign(keys, tmp_path / "file")
    key = keys.only(Purpose.OPENPGP)
    keys.put(key._replace(state=KeyState.REVOKED))
    keys.put(keys.only(Purpose.OPENPGP, KeyState.NEXT)._replace(state=KeyState.CURRENT))
    trust_folder.write(keys)
    assert judged(signature, keys) is Verdict.REVOKED


def test_a_key_that_cannot_be_opened_is_revoked_by_its_prepared_revocation(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWSTOE_SIGNING_PASSPHRASE", "another passphrase")
    name = keys.only(Purpose.OPENPGP).name
    reason = ("--reason", "compromised")
    assert run("revoke", "--directory", keys.folder, "--name", name, *reason) == 0
    output = capsys.readouterr().out
    assert "which states no reason: the key file" in output
    assert "the passphrase is wrong" in output


def test_a_key_that_has_expired_signs_nothing(
    keys: KeyDirectory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = int(time.time()) + 1096 * 86400
    monkeypatch.setattr(time, "time", lambda: float(later))
    file = tmp_path / "file"
    file.write_bytes(DATA)
    assert run("sign", "--directory", keys.folder, str(file)) == 1
    assert "it was made after its key had expired" in capsys.readouterr().err
    assert not list(tmp_path.glob("file.*"))


@pytest.mark.parametrize(("seconds", "code"), [(-1, 1), (0, 1), (86399, 1), (181 * 86400, 0)])
def test_check_reports_a_key_that_expires_soon(seconds: int, code: int, keys: KeyDirectory) -> None:
    key = keys.only(Purpose.OPENPGP)
    keys.put(key._replace(expires=int(time.time()) + seconds))
    assert run("list", "--directory", keys.folder, "--check") == code


def test_expire_changes_the_expiry_of_a_key(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    name = keys.only(Purpose.OPENPGP).name
    check = ("list", "--directory", keys.folder, "--check")
    assert run(*check) == 0
    assert run("expire", "--directory", keys.folder, "--name", name, "--days", "100") == 0
    assert run(*check) == 1
    assert f"less than 180 days left: {name} (expires " in capsys.readouterr().err
    key = KeyDirectory(keys.folder).key(name)
    assert key.expires is not None
    assert lifecycle.days_left(key.expires, int(time.time())) in (99, 100)
    ring = baked_in(keys).keyring()
    assert ring.certificates[0].signing_keys(int(time.time()))[0].expires == key.expires


def at(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    later = time.time() + days * 86400
    monkeypatch.setattr(time, "time", lambda: later)


@pytest.mark.parametrize(
    ("days", "message"),
    [(540, ""), (560, r"1\.root\.json \(expires \S+, 1\d\d days left"), (740, r"\(expired \S+\)")],
)
def test_check_reports_a_root_that_expires_soon(
    days: int,
    message: str,
    keys: KeyDirectory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check = ("list", "--directory", keys.folder, "--check")
    at(monkeypatch, days)
    assert run(*check) == (1 if message else 0)
    output = capsys.readouterr()
    assert re.search(message or "^$", output.err)
    assert re.search(r"1\.root\.json +current +expire", output.out)


def test_check_reports_a_missing_root_until_the_ceremony_has_signed_it(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed rotation leaves this state."""
    check = ("list", "--directory", keys.folder, "--check")
    retired = [keys.only(Purpose.TARGETS)._replace(state=KeyState.RETIRED)]
    lifecycle.create(keys, Purpose.TARGETS, now=int(time.time()), expires=0, together=retired)
    assert run(*check) == 1
    error = capsys.readouterr().err
    assert "names the current keys of metadata" in error
    assert run(*shlex.split(error.partition("root: awstoe-signing ")[2])) == 0
    assert run(*check) == 0


def test_check_reports_a_missing_openpgp_key(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ("list", "--directory", keys.folder, "--check")
    revoke = ("revoke", "--directory", keys.folder, "--reason", "compromised")
    assert run(*revoke, "--name", "openpgp-1") == 0
    assert run(*check) == 1
    assert "run: awstoe-signing rotate --purpose openpgp" in capsys.readouterr().err
    assert run(*revoke, "--name", "openpgp-2") == 0
    assert run(*check) == 1
    assert "run: awstoe-signing create --state current --purpose openpgp" in capsys.readouterr().err


def test_a_ceremony_does_not_replace_the_next_key_that_programs_know(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    revoke = ("revoke", "--directory", keys.folder, "--reason", "compromised")
    assert run(*revoke, "--name", "openpgp-1") == 0
    assert run("ceremony", "--directory", keys.folder, "--rehearsal") == 1
    assert "run: awstoe-signing rotate --purpose openpgp" in capsys.readouterr().err
    assert len(KeyDirectory(keys.folder).facts(Purpose.OPENPGP)) == 2


@pytest.mark.parametrize("purpose", [Purpose.AUTHENTICODE, Purpose.ROOT, Purpose.TARGETS])
def test_a_next_key_of_any_purpose_signs_after_a_rotation(
    purpose: Purpose, keys: KeyDirectory
) -> None:
    before = keys.facts(purpose, KeyState.CURRENT)
    named = ("--directory", keys.folder, "--purpose", purpose)
    assert run("create", *named, "--state", "next") == 0
    following = KeyDirectory(keys.folder).only(purpose, KeyState.NEXT)
    assert run("rotate", *named) == 0
    keys = KeyDirectory(keys.folder)
    assert keys.facts(purpose, KeyState.NEXT) == []
    assert [key.name for key in keys.facts(purpose, KeyState.CURRENT)] == [
        *(key.name for key in before[1:]),
        following.name,
    ]
    assert keys.key(before[0].name).state is KeyState.RETIRED
    if purpose in METADATA:
        root = tuf_repository.MetadataRepository(keys.path("metadata")).root()
        assert following.fingerprint in root.roles[purpose].keyids
    else:
        assert following.fingerprint in baked_in(keys).authenticode


def test_a_rotation_to_the_next_key_accepts_no_other_key(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("--directory", keys.folder, "--purpose", "targets")
    assert run("create", *named, "--state", "next") == 0
    assert run("rotate", *named, "--kms", "arn:other") == 1
    assert "targets-2 is the next key for targets" in capsys.readouterr().err


@pytest.mark.parametrize("state", [KeyState.CURRENT, KeyState.NEXT])
def test_a_purpose_has_one_key_at_a_time(
    state: KeyState, keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    before = keys.facts()
    named = ("--directory", keys.folder, "--purpose", "openpgp")
    assert run("create", *named, "--state", state) == 1
    assert f"is the {state} key for openpgp already" in capsys.readouterr().err
    assert KeyDirectory(keys.folder).facts() == before
    assert not os.path.exists(keys.path("private", "openpgp-3.pem"))


def test_a_rotation_replaces_the_root_key_that_is_named(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("rotate", "--directory", keys.folder, "--purpose", "root", "--name")
    assert run(*command, "targets-1") == 1
    assert "expected one of root-1, root-2, root-3" in capsys.readouterr().err
    stolen = keys.key("root-3")
    os.unlink(keys.path("private", "root-3.pem"))
    assert run(*command, stolen.name) == 0
    keys = KeyDirectory(keys.folder)
    root = tuf_repository.MetadataRepository(keys.path("metadata")).root()
    assert stolen.fingerprint not in root.roles["root"].keyids
    current = [key.name for key in keys.facts(Purpose.ROOT, KeyState.CURRENT)]
    assert current == ["root-1", "root-2", "root-4"]


def test_windows_programs_can_be_signed_at_all_times_during_a_rotation(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A public authority needs days: meanwhile, the current key signs."""
    registry = Path(keys.path("keys.toml"))
    registry.write_text(registry.read_text().replace("is_rehearsal = true", "is_rehearsal = false"))
    named = ("--directory", keys.folder, "--purpose", "authenticode")
    assert run("rotate", *named) == 1
    assert "create --purpose authenticode --state next" in capsys.readouterr().err
    assert run("create", *named, "--state", "next") == 0
    assert run("rotate", *named) == 1
    assert "authenticode-2 has no certificate yet" in capsys.readouterr().err
    keys = KeyDirectory(keys.folder)
    following = keys.key("authenticode-2")
    validity = Validity(directory.moment(0), directory.moment(1 << 32))
    authority = authenticode_certificates.make_root(
        LocalSigner(rsa.generate_private_key(65537, 3072), "the authority"), "Authority", validity
    )
    certificate = authenticode_certificates.issue(
        authority, keys.open(following).public_key, "AWSTOE", CODE_SIGNING, validity
    )
    own = (certificate, authority.certificate)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in own))
    certify = ("certify", "--directory", keys.folder, "--name", following.name)
    assert run(*certify, "--chain", str(chain)) == 0
    assert lifecycle.authenticode_key(KeyDirectory(keys.folder))[0].name == "authenticode-1"
    assert run("rotate", *named) == 0
    assert lifecycle.authenticode_key(KeyDirectory(keys.folder))[0].name == "authenticode-2"


def test_a_rotated_root_is_signed_by_the_old_keys_and_the_new(keys: KeyDirectory) -> None:
    assert run("rotate", "--directory", keys.folder, "--purpose", "root") == 0
    keys = KeyDirectory(keys.folder)
    repository = tuf_repository.MetadataRepository(keys.path("metadata"))
    assert repository.root_version() == 2
    assert run("list", "--directory", keys.folder, "--check") == 0
    assert baked_in(keys).root == keys.read("metadata", "2.root.json")
    named = set(repository.root().roles["root"].keyids)
    assert named == {key.fingerprint for key in keys.facts(Purpose.ROOT, KeyState.CURRENT)}
    retired = keys.only(Purpose.ROOT, KeyState.RETIRED)
    assert retired.fingerprint not in named
    signatures = json.loads(keys.read("metadata", "2.root.json"))["signatures"]
    assert retired.fingerprint in {each["keyid"] for each in signatures}


def test_a_root_needs_exactly_two_of_its_keys(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    rotate = ("rotate", "--directory", keys.folder, "--purpose", "timestamp")
    os.unlink(keys.path("private", "root-3.pem"))
    assert run(*rotate) == 0
    os.unlink(keys.path("private", "root-2.pem"))
    assert run(*rotate) == 1
    assert "a root is signed by 2 root keys, and 1 are in" in capsys.readouterr().err
    assert not os.path.exists(keys.path("metadata", "3.root.json"))
    assert not os.path.exists(keys.path("private", "timestamp-3.pem"))


@pytest.mark.parametrize("purpose", ["targets", "snapshot", "timestamp"])
def test_a_new_root_names_a_rotated_online_key(purpose: str, keys: KeyDirectory) -> None:
    assert run("rotate", "--directory", keys.folder, "--purpose", purpose) == 0
    keys = KeyDirectory(keys.folder)
    role = tuf_repository.MetadataRepository(keys.path("metadata")).root().roles[purpose]
    assert role.keyids == [keys.only(Purpose(purpose)).fingerprint]


def test_a_metadata_key_is_rotated_instead_of_revoked(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("revoke", "--directory", keys.folder, "--name", "targets-1")
    assert run(*command, "--reason", "compromised") == 1
    assert f"rotate --purpose targets --name targets-1 --directory {keys.folder}" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("state", [KeyState.NEXT, KeyState.RETIRED])
def test_revoking_a_metadata_key_that_is_not_current_says_that_no_root_trusts_it(
    state: KeyState, keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("--directory", keys.folder, "--purpose", "targets")
    assert run("create", *named, "--state", "next") == 0
    if state is KeyState.RETIRED:
        assert run("rotate", *named) == 0
    name = KeyDirectory(keys.folder).only(Purpose.TARGETS, state).name
    capsys.readouterr()
    revoke = ("revoke", "--directory", keys.folder, "--name", name, "--reason", "retired")
    assert run(*revoke) == 1
    assert capsys.readouterr().err == (
        f"awstoe-signing: {name} is a {state} metadata key: no root trusts it, because a root names"
        " only current keys\n"
    )


def test_the_next_key_of_a_rotation_is_valid_as_long_as_that_of_the_ceremony(
    keys: KeyDirectory,
) -> None:
    first = keys.only(Purpose.OPENPGP, KeyState.NEXT)
    assert run("rotate", "--directory", keys.folder, "--purpose", "openpgp") == 0
    following = KeyDirectory(keys.folder).only(Purpose.OPENPGP, KeyState.NEXT)
    assert first.expires is not None
    assert following.expires is not None
    days = {(each.expires or 0) - each.created for each in (first, following)}
    assert days == {lifecycle.ROTATED_DAYS * 86400}


def test_the_hint_for_an_absent_folder_of_keys_is_a_complete_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "keys"
    assert run("list", "--directory", str(folder)) == 1
    hint = capsys.readouterr().err.splitlines()[-1]
    program, *command = shlex.split(hint.partition("keys: ")[2])
    assert program == "awstoe-signing"
    monkeypatch.setenv("AWSTOE_SIGNING_PASSPHRASE", "correct horse battery")
    assert run(*command) == 0


def test_the_hint_for_a_private_key_kept_elsewhere_links_it(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    private = Path(keys.path("private", "openpgp-1.pem"))
    elsewhere = private.rename(tmp_path / "medium.pem")
    sign = ("sign", "--directory", keys.folder, str(file))
    assert run(*sign) == 1
    hint = capsys.readouterr().err.splitlines()[-1]
    assert hint.endswith(f"then link it: ln -s FILE {private}")
    private.symlink_to(elsewhere)
    assert run(*sign) == 0


def test_after_a_rotation_old_thumbprints_stay_published(keys: KeyDirectory) -> None:
    assert run("rotate", "--directory", keys.folder, "--purpose", "authenticode") == 0
    keys = KeyDirectory(keys.folder)
    both = tuple(key.fingerprint for key in keys.facts(Purpose.AUTHENTICODE))
    assert tuple(baked_in(keys).publishers().thumbprints) == both
    name = keys.facts(Purpose.AUTHENTICODE)[0].name
    assert run("revoke", "--directory", keys.folder, "--name", name, "--reason", "retired") == 0
    assert tuple(baked_in(keys).publishers().thumbprints) == both[1:]
    assert baked_in(keys).authenticode[both[0]] is KeyState.REVOKED


def test_with_every_thumbprint_revoked_programs_still_require_one(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    name = keys.only(Purpose.AUTHENTICODE).name
    check = ("list", "--directory", keys.folder, "--check")
    assert run(*check) == 0
    assert run("revoke", "--directory", keys.folder, "--name", name, "--reason", "compromised") == 0
    assert "every certificate is revoked" in capsys.readouterr().out
    assert run(*check) == 1
    assert "0 current keys for authenticode" in capsys.readouterr().err
    publishers = baked_in(keys).publishers()
    assert publishers.needed
    assert (list(publishers.thumbprints), publishers.roots) == ([], b"")


def test_without_an_authenticode_certificate_programs_require_none(keys: KeyDirectory) -> None:
    key = keys.only(Purpose.AUTHENTICODE)
    keys.put(key._replace(fingerprint="", expires=None))
    assert run("trust", "--directory", keys.folder) == 0
    assert not baked_in(keys).publishers().needed


def test_a_certificate_of_a_public_authority_is_requested_and_registered(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keys.only(Purpose.AUTHENTICODE)
    named = ("--directory", keys.folder, "--name", key.name)
    capsys.readouterr()
    assert run("request", *named, "--subject", "CN=AWSTOE,O=Example,C=DE") == 0
    request = x509.load_pem_x509_csr(capsys.readouterr().out.encode())
    assert request.is_signature_valid
    assert request.public_key() == keys.open(key).public_key
    chain = tmp_path / "chain.pem"
    chain.write_bytes(keys.read("public", f"{key.name}.pem"))
    keys.put(key._replace(fingerprint="", expires=None))
    assert run("certify", *named, "--chain", str(chain)) == 0
    assert KeyDirectory(keys.folder).key(key.name) == key
    other = ("--directory", keys.folder, "--name", "openpgp-1")
    assert run("certify", *other, "--chain", str(chain)) == 1
    assert "expected one for authenticode" in capsys.readouterr().err


@pytest.mark.parametrize("state", [KeyState.CURRENT, KeyState.REVOKED])
def test_no_certificate_replaces_one_that_programs_know(
    state: KeyState, keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keys.only(Purpose.AUTHENTICODE)._replace(state=state)
    keys.put(key)
    validity = Validity(directory.moment(0), directory.moment(1 << 32))
    authority = authenticode_certificates.make_root(
        LocalSigner(rsa.generate_private_key(65537, 3072), "the authority"), "Authority", validity
    )
    renewed = authenticode_certificates.issue(
        authority, keys.open(key).public_key, "AWSTOE", CODE_SIGNING, validity
    )
    certify = ("certify", "--directory", keys.folder, "--name", key.name, "--chain")
    chain = tmp_path / "chain.pem"
    own = (renewed, authority.certificate)
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in own))
    assert run(*certify, str(chain)) == 1
    assert f"has another certificate already: {key.fingerprint}" in capsys.readouterr().err
    assert run(*certify, keys.path("public", f"{key.name}.pem")) == 0
    assert KeyDirectory(keys.folder).key(key.name) == key


def test_a_certificate_whose_signatures_would_not_be_trusted_is_rejected(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = keys.only(Purpose.AUTHENTICODE)
    now = int(time.time())
    state = KeyState.NEXT
    second = lifecycle.create(keys, Purpose.AUTHENTICODE, now=now, expires=now + 5000, state=state)
    own, root = lifecycle.read_chain(keys, first)
    stranger = lifecycle.read_chain(keys, second)[-1]
    named = ("--directory", keys.folder, "--name", first.name)
    for certificates, reason in (
        ([own, stranger], "does not lead to a trusted authority"),
        ([own, stranger, root], "not one chain in order"),
        ([root, own], "is not for the key authenticode-1"),
    ):
        chain = tmp_path / "chain.pem"
        chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        assert run("certify", *named, "--chain", str(chain)) == 1
        assert reason in capsys.readouterr().err
    assert lifecycle.read_chain(keys, first) == [own, root]


def test_trust_is_written_before_a_new_certificate_arrives(keys: KeyDirectory) -> None:
    first = keys.only(Purpose.AUTHENTICODE)
    waiting = first._replace(name="authenticode-2", fingerprint="", expires=None)
    keys.write(keys.read("public", "targets-1.pem"), "public", "authenticode-2.pem")
    keys.put(first._replace(state=KeyState.RETIRED), waiting)
    assert run("trust", "--directory", keys.folder) == 0
    assert baked_in(keys).authenticode == {first.fingerprint: KeyState.RETIRED}


def test_real_keys_need_a_user_id_and_a_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "real")
    assert run("ceremony", "--directory", folder) == 1
    assert "the keys need a user ID" in capsys.readouterr().err
    (tmp_path / "real").mkdir()
    assert run("ceremony", "--directory", folder) == 1
    assert "the keys need a user ID" in capsys.readouterr().err
    holder = ("--user-id", "AWSTOE <releases@example.com>")
    assert run("ceremony", "--directory", folder, *holder) == 1
    assert "no passphrase for the key openpgp-1" in capsys.readouterr().err
    assert run("ceremony", "--directory", folder, "--rehearsal") == 1
    assert "has real keys" in capsys.readouterr().err
    monkeypatch.setenv("AWSTOE_SIGNING_PASSPHRASE", "correct horse battery")
    assert run("create", "--directory", folder, "--purpose", "timestamp") == 0
    assert run("create", "--directory", folder, "--purpose", "authenticode") == 0
    assert "authenticode-1   current  no certificate yet" in capsys.readouterr().out
    assert not os.path.exists(os.path.join(folder, "private", "passphrase"))


@pytest.mark.parametrize(
    ("option", "value"),
    [("--product", "Other"), ("--user-id", "Other <o@x>"), ("--url", "https://127.0.0.1/")],
)
def test_a_ceremony_rejects_keys_of_another_product(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("ceremony", "--directory", str(tmp_path / "keys"), "--empty")
    assert run(*command, "--user-id", "AWSTOE <a@x>") == 0
    assert run(*command) == 0
    assert run(*command, option, value) == 1
    assert f"got '{value}'" in capsys.readouterr().err


def test_keys_of_a_rehearsal_do_not_become_real_keys(
    keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = ("--user-id", "AWSTOE <releases@example.com>")
    assert run("ceremony", "--directory", keys.folder, *holder) == 1
    assert "has the keys of a rehearsal" in capsys.readouterr().err


def test_the_registry_preserves_every_text(tmp_path: Path) -> None:
    text = 'Größe \U0001f600 "\\" \x7f\t\n'
    release = ReleaseKeys(text, text, text, is_rehearsal=False)
    assert KeyDirectory(str(tmp_path), release).release == release
    assert KeyDirectory(str(tmp_path)).release == release


def test_a_key_that_is_kept_elsewhere_is_reported(
    keys: KeyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.unlink(keys.path("private", "openpgp-1.pem"))
    assert run("sign", "--directory", keys.folder, str(tmp_path)) == 1
    assert "the key openpgp-1 is kept elsewhere" in capsys.readouterr().err


def test_a_private_key_of_another_certificate_signs_nothing(keys: KeyDirectory) -> None:
    first, second = keys.facts(Purpose.OPENPGP)
    found = lifecycle.certificate(keys, first)
    signer = keys.open(second)
    assert isinstance(signer, LocalSigner)
    with pytest.raises(SigningFailure, match="is not the private key of"):
        found.key(signer)


def test_list_prints_text_and_json(keys: KeyDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("list", "--directory", keys.folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("openpgp-1        current  ")
    assert run("list", "--directory", keys.folder, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["keys"]] == [key.name for key in keys.facts()]
    assert listed["root"]["name"] == "1.root.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a key registry"),
        ("[release", "not a key registry"),
        (TIMELESS.format("'2026'"), "expected a time with a time zone"),
        (TIMELESS.format("2026-01-01T00:00:00"), "expected a time with a time zone"),
        ("[release]\nproduct='x'\n", "not a key registry"),
        (
            "[release]\nproduct='x'\nuser_id='x'\nurl=''\nis_rehearsal=true\nx=1",
            "not a key registry",
        ),
    ],
)
def test_a_broken_registry_is_reported(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys.toml").write_text(text)
    assert run("list", "--directory", str(tmp_path)) == 1
    assert message in capsys.readouterr().err


def test_a_folder_without_keys_is_reported_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--directory", str(tmp_path)) == 1
    assert "awstoe-signing ceremony" in capsys.readouterr().err


def test_the_published_registry_can_be_read_and_has_only_public_facts() -> None:
    path = ROOT / "signing" / "keys.toml"
    release, keys = directory.read_registry(str(path))
    assert not release.is_rehearsal
    assert path.read_text() == directory.registry_text(release, keys)
    assert {key.purpose for key in keys} <= {Purpose.OPENPGP, Purpose.AUTHENTICODE, *METADATA}


@pytest.mark.parametrize("days", ["0", "-5", "40000", "9" * 30])
def test_an_expiry_that_openpgp_cannot_represent_is_rejected(
    days: str, keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("expire", "--directory", keys.folder, "--name", "openpgp-1", f"--days={days}")
    assert run(*command) == 1
    error = capsys.readouterr().err
    assert f"--days: expected 1 or more, and an expiry before 2106, got {int(days)}\n" in error
