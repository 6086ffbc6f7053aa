"""``awstoe verify-signature`` and ``awstoe version --trust``, with and without built-in keys."""

import functools
import hashlib
import http.server
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe import __version__
from awstoe.cli import trust_report, version
from awstoe.cli.main import main
from awstoe.cli.verify_signature import Subject, verify
from awstoe.errors import AwstoeError, HostError, TrustError, UsageError
from awstoe.host import platforms
from awstoe.reporting.console import Console
from awstoe.trust import release_trust
from fakes.certificates import CODE_SIGNING, FAR, make, signer, world
from fakes.openpgp_forge import CERTIFY_AND_SIGN, ForgedKey, packet, time_of
from fakes.signed_programs import sign
from fakes.windows_program import make_program

DATA = b"a program\n" * 100
USER = b"AWSTOE <releases@example.com>"


class Outcome(NamedTuple):
    exit_code: int
    json: dict[str, Any]
    stderr: str


class Scene:
    """A program with built-in keys, and its file with a signature next to it."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.now = int(time.time())
        self.folder = folder
        self.capfd = capfd
        self.key = ForgedKey(ed25519.Ed25519PrivateKey.generate(), self.now - 1000)
        self.file = folder / "awstoe"
        self.signature = folder / "awstoe.sig"
        self.file.write_bytes(DATA)
        self.signature.write_bytes(self.sign())
        self.url = "https://127.0.0.1/"
        self.bake()

    def sign(self, data: bytes = DATA, age: int = 10) -> bytes:
        return packet(2, self.key.signature(data, created=self.now - age))

    def bake(self, certificate: bytes = b"", state: str = "current", **facts: object) -> None:
        trust = self.folder / "release"
        trust.mkdir(exist_ok=True)
        (trust / "awstoe.gpg").write_bytes(certificate or self.key.certificate(user=USER))
        root = {"signed": {"version": 3, "expires": "2031-01-01T00:00:00Z"}}
        (trust / "root.json").write_text(json.dumps(root))
        usual = {
            "format": 1,
            "product": "AWSTOE",
            "rehearsal": False,
            "url": self.url,
            "openpgp": {self.key.fingerprint.hex().upper(): state},
            "authenticode": {},
        }
        (trust / "trust.json").write_text(json.dumps({**usual, **facts}))

    def program(self) -> Subject:
        return Subject(str(self.file), release_trust.read(str(self.folder / "release")))

    def verify(self, *arguments: str | Path, program: Subject | None = None) -> Outcome:
        options = [str(each) for each in arguments]
        code = verify(options, Console(), self.program() if program is None else program)
        out, err = self.capfd.readouterr()
        return Outcome(code, json.loads(out), err)


@pytest.fixture
def scene(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Scene:
    return Scene(tmp_path, capfd)


DEVELOPMENT = Subject(None, None)


def test_the_program_verifies_itself(scene: Scene) -> None:
    outcome = scene.verify()
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(scene.now - 10))
    assert outcome.exit_code == 0
    assert outcome.json == {
        "file": str(scene.file),
        "signature": str(scene.signature),
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "verdict": "good",
        "reason": None,
        "keyFingerprint": scene.key.fingerprint.hex().upper(),
        "signer": USER.decode(),
        "signatureTime": created,
        "warnings": [],
        "authenticode": None,
    }
    assert outcome.stderr == f'Good signature from "{USER.decode()}"\n'


def test_an_altered_file_is_bad(scene: Scene) -> None:
    scene.file.write_bytes(DATA + b"x")
    outcome = scene.verify()
    assert (outcome.exit_code, outcome.json["verdict"]) == (1, "bad")
    assert outcome.json["reason"].startswith("the file is not what was signed")
    assert outcome.stderr.startswith(f'BAD signature from "{USER.decode()}": the file is not')


def test_bad_is_printed_even_when_quiet(scene: Scene) -> None:
    assert scene.verify("--quiet").stderr == ""
    scene.file.write_bytes(b"")
    assert scene.verify("--quiet").stderr.startswith("BAD signature")


def test_a_file_without_a_signature_is_not_good(scene: Scene) -> None:
    scene.signature.unlink()
    outcome = scene.verify()
    assert (outcome.exit_code, outcome.json["verdict"]) == (1, "unsigned")
    assert outcome.json["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert outcome.stderr == (
        f"NO signature: there is no signature: {scene.file}.sig does not exist\n"
    )


def test_a_given_key_verifies_any_file(scene: Scene, tmp_path: Path) -> None:
    file, signature, key = tmp_path / "f", tmp_path / "s", tmp_path / "k"
    file.write_bytes(b"x")
    signature.write_bytes(scene.sign(b"x"))
    key.write_bytes(scene.key.certificate())
    named = (file, "--signature", signature, "--key", key)
    assert scene.verify(*named, program=DEVELOPMENT).exit_code == 0
    assert scene.verify(file, "--signature", signature).exit_code == 0
    file.write_bytes(b"y")
    assert scene.verify(*named, program=DEVELOPMENT).json["verdict"] == "bad"


def test_an_armored_signature_is_found(scene: Scene) -> None:
    from awstoe_signing.openpgp.sign import armored  # noqa: PLC0415

    scene.signature.unlink()
    (scene.folder / "awstoe.asc").write_bytes(armored(scene.sign(), "SIGNATURE"))
    assert scene.verify().exit_code == 0


def test_a_development_build_trusts_no_key(scene: Scene) -> None:
    outcome = scene.verify(scene.file, program=DEVELOPMENT)
    assert (outcome.exit_code, outcome.json["verdict"]) == (1, "untrusted")
    assert outcome.json["reason"] == (
        "this is a development build: it trusts no key; use --key to name a key file"
    )


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("current", "good"), ("next", "good"), ("retired", "good"), ("revoked", "revoked")],
)
def test_the_state_of_a_release_key_decides(state: str, verdict: str, scene: Scene) -> None:
    scene.bake(state=state)
    outcome = scene.verify()
    assert outcome.json["verdict"] == verdict
    assert outcome.exit_code == (0 if verdict == "good" else 1)


def test_what_a_key_signed_before_it_expired_is_good(scene: Scene) -> None:
    scene.bake(scene.key.certificate(extra=[CERTIFY_AND_SIGN, time_of(9, 500)]))
    scene.signature.write_bytes(scene.sign(age=600))
    outcome = scene.verify()
    assert outcome.exit_code == 0
    assert outcome.json["warnings"] == ["the key has expired; the signature was made before that"]
    assert "awstoe: warning: the key has expired" in outcome.stderr
    scene.signature.write_bytes(scene.sign(age=400))
    assert scene.verify().json["verdict"] == "expired"


def test_keys_of_a_rehearsal_cause_a_warning(scene: Scene) -> None:
    scene.bake(rehearsal=True)
    assert scene.verify().json["warnings"] == [
        "this program trusts the throw-away keys of a rehearsal"
    ]


def test_a_user_id_does_not_control_the_terminal(scene: Scene) -> None:
    scene.bake(scene.key.certificate(user=b"\x1b[31mevil\n"))
    assert scene.verify().stderr == 'Good signature from "?[31mevil "\n'


class WindowsScene(Scene):
    """The same with a Windows program, whose publisher's certificate is built in."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, capfd)
        self.publisher = make("Publisher", signer(CODE_SIGNING), by=world().root, end=FAR)
        self.thumbprint = self.publisher.certificate.fingerprint(hashes.SHA1()).hex().upper()
        self.put(sign(make_program(), self.publisher))
        root = world().root.certificate.public_bytes(Encoding.PEM)
        (folder / "release" / "authenticode.pem").write_bytes(root)
        self.bake_publisher("current")
        self.key_file = folder / "release" / "awstoe.gpg"

    def put(self, program: bytes) -> None:
        self.file.write_bytes(program)
        self.signature.write_bytes(self.sign(program))

    def bake_publisher(self, state: str) -> None:
        self.bake(authenticode={self.thumbprint: state})


@pytest.fixture
def windows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> WindowsScene:
    return WindowsScene(tmp_path, capfd)


def verdicts(outcome: Outcome) -> tuple[int, str, str]:
    return outcome.exit_code, outcome.json["verdict"], outcome.json["authenticode"]["verdict"]


def test_both_signatures_of_a_windows_program_are_reported(windows: WindowsScene) -> None:
    for options in ((), ("--key", windows.key_file)):
        outcome = windows.verify(*options)
        assert verdicts(outcome) == (0, "good", "good")
        assert outcome.json["authenticode"]["signer"] == "Publisher"
        assert 'Authenticode: good, by "Publisher"\nGood signature' in outcome.stderr
    windows.put(make_program())
    outcome = windows.verify()
    assert verdicts(outcome) == (0, "good", "unsigned")
    assert "Authenticode: unsigned: this Windows program is not signed" in outcome.stderr


def test_with_a_key_file_an_unknown_publisher_is_only_reported(windows: WindowsScene) -> None:
    """With the built-in keys it spoils the file; it never makes one good."""
    outcome = windows.verify("--key", windows.key_file, windows.file, program=DEVELOPMENT)
    assert verdicts(outcome) == (0, "good", "untrusted")
    assert outcome.json["authenticode"]["reason"].startswith("no certificate is trusted here")
    assert "Authenticode: untrusted: no certificate is trusted here" in outcome.stderr
    windows.put(sign(make_program(), world().stranger))
    assert verdicts(windows.verify("--key", windows.key_file)) == (0, "good", "untrusted")
    assert verdicts(windows.verify()) == (1, "untrusted", "untrusted")
    assert verdicts(windows.verify(windows.file, program=DEVELOPMENT)) == (
        1,
        "untrusted",
        "untrusted",
    )


def test_authenticode_is_reported_but_does_not_replace_the_signature_file(
    windows: WindowsScene,
) -> None:
    windows.signature.unlink()
    for options in ((), ("--key", windows.key_file)):
        outcome = windows.verify(*options)
        assert verdicts(outcome) == (1, "unsigned", "good")
        assert outcome.json["reason"] == f"there is no signature: {windows.file}.sig does not exist"
    windows.file.write_bytes(windows.file.read_bytes() + bytes(8))
    outcome = windows.verify()
    assert verdicts(outcome) == (1, "bad", "bad")
    assert "BAD signature: the Authenticode signature is not good: " in outcome.stderr


def test_a_revoked_publisher_is_reported(windows: WindowsScene) -> None:
    windows.bake_publisher("revoked")
    for options in ((), ("--key", windows.key_file)):
        outcome = windows.verify(*options)
        assert verdicts(outcome) == (1, "revoked", "untrusted")
        assert outcome.json["reason"].endswith("is revoked")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "the file to verify: none: No such file"),
        (["."], "the file to verify: . is not a file"),
        (["a\0b"], "embedded null"),
        (["--signature", "none"], "--signature: none: No such file"),
        (["--key", "none"], "--key: none: No such file"),
        (["--key", "."], "--key: . is not a file"),
        (["one", "two"], "unexpected argument 'two'"),
        (["one", "--fetch"], "--fetch is only for the running program"),
        (["--fetch", "--signature", "s"], "--fetch is only for the running program"),
        (["--region", "eu-west-1"], "have no effect without --fetch"),
        (["--url", "https://127.0.0.1/"], "have no effect without --fetch"),
    ],
)
def test_wrong_usage_is_code_2(arguments: list[str], message: str, scene: Scene) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        scene.verify(*arguments)
    assert caught.value.exit_code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="its /proc has a file that cannot be read")
@pytest.mark.parametrize("option", ["--signature", "--key"])
def test_a_file_that_cannot_be_read_is_named(option: str, scene: Scene) -> None:
    with pytest.raises(HostError, match="/proc/self/mem cannot be read"):
        scene.verify(option, "/proc/self/mem")


def test_from_sources_there_is_nothing_to_verify(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-signature"]) == 2
    assert "runs from its sources" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("trust.json", "{", "cannot be read: trust.json"),
        ("trust.json", "[]", "cannot be read: trust.json"),
        ("trust.json", '{"format": 2}', "format 2, expected 1"),
        ("root.json", "", "root.json is missing"),
        ("awstoe.gpg", "", "awstoe.gpg is missing"),
        ("awstoe.gpg", "nonsense", "awstoe.gpg has neither packets nor armor"),
    ],
)
def test_a_damaged_build_is_not_treated_as_a_development_build(
    name: str, text: str, message: str, scene: Scene
) -> None:
    (scene.folder / "release" / name).write_text(text)
    with pytest.raises(TrustError, match=message):
        scene.verify()


def test_an_unknown_state_is_damage(scene: Scene) -> None:
    scene.bake(state="splendid")
    with pytest.raises(TrustError, match="splendid"):
        scene.verify()
    scene.bake(openpgp={"12": "current"})
    with pytest.raises(TrustError, match="openpgp: '12' is not a fingerprint"):
        scene.verify()
    scene.bake(authenticode={"12": "current"})
    with pytest.raises(TrustError, match="authenticode: '12' is not a fingerprint"):
        scene.verify()
    scene.bake(authenticode={"00" * 20: "current"})
    with pytest.raises(TrustError, match=r"authenticode\.pem is missing"):
        scene.verify()


@pytest.fixture
def region(tmp_path: Path, scene: Scene) -> Iterator[Path]:
    """A folder that is served at the URL of the releases."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    published = tmp_path / "published"
    published.mkdir()
    handler = functools.partial(Quiet, directory=str(published))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        scene.url = f"http://127.0.0.1:{server.server_port}/"
        scene.bake()
        yield published
        server.shutdown()
        thread.join()


def own_path(published: Path) -> Path:
    name = "awstoe.exe" if os.name == "nt" else "awstoe"
    machine = platforms.architecture(platform.machine(), pointer_bits=64)
    return published / __version__ / str(platforms.current()) / machine / f"{name}.sig"


def test_the_published_signature_is_fetched_if_there_is_none(scene: Scene, region: Path) -> None:
    shutil.move(scene.signature, scene.folder / "aside")
    with pytest.raises(TrustError, match=f"has no signature of {__version__}"):
        scene.verify("--fetch")
    own_path(region).parent.mkdir(parents=True)
    shutil.copy(scene.folder / "aside", own_path(region))
    outcome = scene.verify("--fetch")
    assert outcome.exit_code == 0
    assert outcome.json["signature"].startswith(scene.url)
    assert not scene.signature.exists()
    own_path(region).write_bytes(bytes(100_000))
    with pytest.raises(TrustError, match="at most 65536 bytes"):
        scene.verify("--fetch")


def test_nothing_is_fetched_if_there_is_a_signature(scene: Scene) -> None:
    scene.url = "http://127.0.0.1:1/"
    scene.bake()
    assert scene.verify("--fetch").exit_code == 0
    scene.signature.unlink()
    with pytest.raises(AwstoeError, match=r"127\.0\.0\.1:1"):
        scene.verify("--fetch")
    with pytest.raises(UsageError, match="development build"):
        scene.verify("--fetch", program=Subject(str(scene.file), None))


def test_verifying_loads_nothing_for_networks_and_windows_programs(scene: Scene) -> None:
    key = scene.folder / "release" / "awstoe.gpg"
    code = (
        "import sys; from awstoe.cli.main import main; code = main(sys.argv[1:]);"
        " sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "verify-signature", scene.file, "--key", key],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stderr.split())
    assert "cryptography" in loaded
    assert loaded & {
        "ssl",
        "urllib3",
        "requests",
        "tuf",
        "boto3",
        "pyasn1",
        "cryptography.x509",
    } == (set())


def test_built_in_keys_are_reported(scene: Scene) -> None:
    facts = trust_report.facts(scene.program().trust)
    fingerprint = scene.key.fingerprint.hex().upper()
    assert facts["build"] == "release"
    assert facts["openpgp"] == [
        {"fingerprint": fingerprint, "state": "current", "signer": USER.decode()}
    ]
    assert facts["root"] == {"version": 3, "expires": "2031-01-01T00:00:00Z"}
    text = trust_report.as_text(facts)
    assert f"openpgp            fingerprint {fingerprint}, state current" in text


def test_windows_publishers_and_their_roots_are_reported(scene: Scene) -> None:
    root, stamp_root = world().root.certificate, world().stamp_root.certificate
    thumbprint = "00112233445566778899AABBCCDDEEFF00112233"
    scene.bake(authenticode={thumbprint: "retired"})
    (scene.folder / "release" / "authenticode.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (scene.folder / "release" / "timestamping.pem").write_bytes(
        stamp_root.public_bytes(Encoding.PEM)
    )
    facts = trust_report.facts(scene.program().trust)
    assert facts["authenticode"] == [
        {
            "thumbprint": "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33",
            "state": "retired",
        }
    ]
    expiry = {"expires": "2076-01-01T00:00:00Z"}
    sha256 = root.fingerprint(hashes.SHA256()).hex()
    assert facts["authenticodeRoots"] == [{"name": "Root", "sha256": sha256, **expiry}]
    sha256 = stamp_root.fingerprint(hashes.SHA256()).hex()
    assert facts["timestampRoots"] == [{"name": "Stamp Root", "sha256": sha256, **expiry}]
    text = trust_report.as_text(facts)
    assert f"\ntimestampRoots     name Stamp Root, sha256 {sha256}, expires 2076-" in text
    (scene.folder / "release" / "timestamping.pem").write_text("nonsense")
    with pytest.raises(TrustError, match="certificates cannot be read"):
        trust_report.facts(scene.program().trust)


def test_a_development_build_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    assert version.run(["--trust"], Console()) == 0
    assert capfd.readouterr().out.startswith("build              development\n")
    assert version.run(["--trust", "--json"], Console()) == 0
    assert json.loads(capfd.readouterr().out)["build"] == "development"
