"""install.sh with dash, busybox and bash, with curl and wget, against a real server.

Each check fails in one test: then nothing is installed, and nothing is left behind.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from awstoe_release import plan
from awstoe_release.failure import ReleaseFailure
from awstoe_release.installers import script
from awstoe_release.plan import Item
from awstoe_release.publishing import Publisher
from awstoe_release.rehearsal.client import S3Server
from awstoe_release.release import Release
from fakes.release_world import World, write_settings

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash"]}
# The programs that the script may use, besides those that a test adds or removes.
TOOLS = (
    *("cat", "chmod", "cut", "getconf", "id", "grep", "mkdir", "mktemp", "mv", "rm", "sed"),
    *("uname", "ls"),
    *("env", "dirname"),
)
PROGRAM = "1.2.3/linux/amd64/awstoe"
CHECKSUM_TOOLS = ("sha256sum", "shasum", "openssl")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="install.sh is for Linux")


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture(scope="module")
def world(server: S3Server, keys: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    made = World(server, write_settings(folder / "configuration"), folder, lambda: keys)
    server.reset(made.configuration())
    return made


@pytest.fixture(scope="module")
def promoted(world: World) -> Release:
    release = world.release("1.2.3")
    assert world.run(release, until="promote") == set()
    return release


@pytest.fixture
def published(promoted: Release, server: S3Server) -> Release:
    """The same release for all tests. A test that changes it must restore it."""
    server.fail()
    return promoted


class Machine:
    """A user's machine: a PATH with chosen programs, a home, and the downloaded script."""

    def __init__(self, folder: Path, release: Release) -> None:
        self.folder, self.release = folder, release
        self.home, self.bin = folder / "home", folder / "bin"
        self.target = self.home / ".local/bin/awstoe"
        self.directory = self.home / ".local/bin"
        self.bin.mkdir(parents=True)
        self.home.mkdir()
        self.add(*TOOLS)
        self.script = folder / "install.sh"
        self.script.write_bytes(Path(release.document("install.sh")).read_bytes())

    def add(self, *names: str) -> None:
        for name in names:
            path = shutil.which(name)
            if path is None:
                pytest.skip(f"{name} is not installed")
            (self.bin / name).symlink_to(path)

    def fake(self, name: str, text: str) -> None:
        """Replace a program of the machine."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, shell: str = "dash") -> "subprocess.CompletedProcess[str]":
        program, *rest = SHELLS[shell]
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is not installed")
        as_user = "--directory" in arguments
        return subprocess.run(
            [
                *(path, *rest, str(self.script)),
                *(() if as_user else ("--directory", str(self.directory))),
                *arguments,
            ],
            env={"PATH": str(self.bin), "HOME": str(self.home)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def refused(self, message: str, *arguments: str, shell: str = "dash") -> None:
        """Check that the script fails and leaves nothing behind."""
        ended = self.run(*arguments, shell=shell)
        assert ended.returncode == 1, ended
        assert message in ended.stderr
        assert not self.target.exists()
        if self.directory.exists():
            assert list(self.directory.iterdir()) == []


@pytest.fixture
def machine(tmp_path: Path, published: Release) -> Machine:
    made = Machine(tmp_path / "machine", published)
    made.add("curl", "sha256sum")
    return made


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_the_script_installs_a_verified_program_and_uninstalls_it(
    tmp_path: Path, published: Release, shell: str, downloader: str
) -> None:
    machine = Machine(tmp_path / "machine", published)
    machine.add(downloader, "sha256sum", "gpg")
    ended = machine.run(shell=shell)
    assert ended.returncode == 0, ended.stderr
    assert "good signature by " in ended.stderr
    assert f"installed {machine.target} (awstoe 1.2.3)" in ended.stderr
    assert machine.target.read_bytes() == Path(published.program("linux/amd64")).read_bytes()
    assert machine.target.stat().st_mode & 0o777 == 0o755
    signature = machine.directory / "awstoe.sig"
    assert sorted(machine.directory.iterdir()) == [machine.target, signature]
    published_signature = Path(published.program("linux/amd64") + plan.SIGNATURE).read_bytes()
    assert signature.read_bytes() == published_signature
    signature.write_bytes(b"of another program")
    assert machine.run(shell=shell).returncode == 0  # over the installed program
    assert signature.read_bytes() == published_signature
    for name in ("awstoe.previous", "awstoe.previous.sig"):
        (machine.directory / name).write_text("kept by an update")
    (machine.directory / ".awstoe.update").mkdir()
    (machine.directory / ".awstoe.update/lock").touch()
    (machine.directory / ".awstoe-install.killed").mkdir()
    ended = machine.run("--uninstall", shell=shell)
    assert ended.returncode == 0, ended.stderr
    assert list(machine.directory.iterdir()) == []
    assert "does not exist" in machine.run("--uninstall", shell=shell).stderr


@pytest.mark.parametrize("tool", CHECKSUM_TOOLS)
def test_any_of_three_programs_computes_the_checksum(
    tmp_path: Path, published: Release, tool: str
) -> None:
    machine = Machine(tmp_path / "machine", published)
    machine.add("curl", tool, *(["perl"] if tool == "shasum" else []))
    ended = machine.run()
    assert ended.returncode == 0, ended.stderr
    assert "gpg is not installed" in ended.stderr
    wrong = machine.script.read_text().replace("SHA256_AMD64='", "SHA256_AMD64='0")
    machine.script.write_text(wrong)
    assert machine.run("--uninstall").returncode == 0
    machine.refused("the download has SHA-256")


def test_without_a_checksum_program_nothing_is_installed(
    tmp_path: Path, published: Release
) -> None:
    machine = Machine(tmp_path / "machine", published)
    machine.add("curl")
    machine.refused("there is no program to compute a SHA-256")


def test_without_curl_and_wget_nothing_is_installed(tmp_path: Path, published: Release) -> None:
    machine = Machine(tmp_path / "machine", published)
    machine.add("sha256sum")
    machine.refused("neither curl nor wget is installed")


def test_a_file_that_was_changed_on_the_server_is_not_installed(
    machine: Machine, world: World
) -> None:
    with changed(world, machine.release, {PROGRAM: b"#!/bin/sh\necho gotcha\n"}):
        machine.refused("the download has SHA-256")


def test_a_signature_of_an_attacker_is_rejected(
    machine: Machine, world: World, tmp_path: Path
) -> None:
    """The attacker controls the server and publishes their own key."""
    machine.add("gpg")
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    user_id = "AWSTOE (rehearsal, do not trust) <rehearsal@awstoe.invalid>"
    subprocess.run([*gpg, "--quick-gen-key", user_id, "rsa3072", "sign"], check=True)
    signature = tmp_path / "signature"
    program = machine.release.program("linux/amd64")
    subprocess.run([*gpg, "-o", str(signature), "--detach-sign", program], check=True)
    public = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    theirs = {f"{PROGRAM}.sig": signature.read_bytes(), "1.2.3/assets/awstoe.gpg": public}
    with changed(world, machine.release, theirs):
        machine.refused("expected one of:")
        # Without gpg, the program's own keys decide.
        (machine.bin / "gpg").unlink()
        machine.refused("does not accept its own signature")


def test_a_bad_signature_is_rejected(machine: Machine, world: World) -> None:
    machine.add("gpg")
    path = Path(machine.release.program("linux/386") + plan.SIGNATURE)
    with changed(world, machine.release, {f"{PROGRAM}.sig": path.read_bytes()}):
        machine.refused("BAD signature")


@contextlib.contextmanager
def changed(world: World, release: Release, files: Mapping[str, bytes]) -> Iterator[None]:
    """Replace some objects, as an attacker who controls the buckets can."""
    honest = {key: Path(release.tree, key).read_bytes() for key in files}
    put(world, release, files)
    try:
        yield
    finally:
        put(world, release, honest)


def put(world: World, release: Release, files: Mapping[str, bytes]) -> None:
    items = []
    for number, (key, data) in enumerate(files.items()):
        path = world.folder / f"changed-{number}"
        path.write_bytes(data)
        pointer = plan.Phase.POINTERS
        items.append(
            Item(key, str(path), pointer, immutable=False, content_type="x/y", cache_control="no")
        )
    publisher = Publisher(release.configuration.publish, version="0.0.1")
    results = publisher.publish(release.configuration.regions, items, "attack")
    assert not any(result.failure for result in results.values())


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "down"}, "cannot download"),
    ({"kind": "reset"}, "cannot download"),
    ({"kind": "error", "status": 404}, "cannot download"),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS)
@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_an_incomplete_download_installs_nothing(
    tmp_path: Path,
    published: Release,
    server: S3Server,
    fault: dict[str, Any],
    message: str,
    downloader: str,
) -> None:
    machine = Machine(tmp_path / "machine", published)
    machine.add("sha256sum")
    path = shutil.which(downloader)
    assert path
    # Without the pauses between attempts.
    quick = "--retry 0" if downloader == "curl" else "--tries=1"
    machine.fake(downloader, f'exec {path} "$@" {quick}')
    server.fail(fault)
    machine.refused(message)


@pytest.mark.parametrize(
    ("system", "architecture", "bits", "message"),
    [
        ("Darwin", "arm64", "64", "this system is Darwin; this script is for Linux"),
        ("Linux", "riscv64", "64", "there is no awstoe for the architecture riscv64"),
        ("Linux", "aarch64", "64", "version 1.2.3 has no program for linux/arm64"),
    ],
)
def test_a_machine_without_a_program_is_reported(
    machine: Machine, system: str, architecture: str, bits: str, message: str
) -> None:
    fake_machine(machine, system, architecture, bits)
    machine.refused(message)


@pytest.mark.parametrize(
    ("architecture", "bits", "target"),
    [
        ("x86_64", "64", "linux/amd64"),
        ("x86_64", "32", "linux/386"),
        ("i686", "32", "linux/386"),
        ("i386", "32", "linux/386"),
    ],
)
def test_the_program_is_the_one_for_the_machine(
    machine: Machine, architecture: str, bits: str, target: str
) -> None:
    fake_machine(machine, "Linux", architecture, bits)
    assert machine.run().returncode == 0
    assert machine.target.read_bytes() == Path(machine.release.program(target)).read_bytes()


def fake_machine(machine: Machine, system: str, architecture: str, bits: str) -> None:
    machine.fake("uname", f"case $1 in -s) echo {system} ;; -m) echo {architecture} ;; esac")
    machine.fake("getconf", f"echo {bits}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "unknown option --nonsense"),
        (["--region"], "--region: expected a value"),
        (["--region", "$(touch gotcha)"], "is not a valid region name"),
        (["--region", "eu/../../x"], "is not a valid region name"),
        (["--directory", ""], "--directory: expected a value"),
    ],
)
def test_wrong_options_are_reported(machine: Machine, arguments: list[str], message: str) -> None:
    ended = machine.run(*arguments)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert not (machine.folder / "gotcha").exists()
    assert not machine.target.exists()


def test_a_folder_that_cannot_be_written_is_reported(machine: Machine) -> None:
    (machine.folder / "file").write_text("")
    ended = machine.run("--directory", str(machine.folder / "file" / "x"))
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
    (machine.folder / "d" / "awstoe").mkdir(parents=True)
    ended = machine.run("--directory", "d")
    assert "d/awstoe is a folder" in ended.stderr


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["awstoe", "awstoe.sig", "awstoe.previous"])
def test_a_folder_with_a_name_of_the_program_is_never_removed(
    machine: Machine, shell: str, name: str
) -> None:
    work = machine.directory / name / "work"
    work.parent.mkdir(parents=True)
    work.write_text("of the user")
    other = machine.directory / ("awstoe.sig" if name == "awstoe" else "awstoe")
    other.write_text("a file")
    ended = machine.run("--uninstall", shell=shell)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{work.parent} is a folder, not the program; nothing is removed" in ended.stderr
    assert (work.read_text(), other.read_text()) == ("of the user", "a file")
    if name != "awstoe.previous":
        ended = machine.run(shell=shell)
        assert ended.returncode == 1
        assert f"{work.parent} is a folder" in ended.stderr
    assert (work.read_text(), other.read_text()) == ("of the user", "a file")


def test_without_a_home_the_option_for_the_folder_is_named(machine: Machine) -> None:
    machine.fake("id", "echo 1000")
    environment = {"PATH": str(machine.bin)}
    for home in ({}, {"HOME": ""}):
        ended = subprocess.run(
            [str(shutil.which("dash")), str(machine.script)],
            env={**environment, **home},
            cwd=machine.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        expected = "install.sh: HOME is not set\n            choose a folder with --directory\n"
        assert (ended.returncode, ended.stderr) == (1, expected)


def test_values_of_options_may_follow_an_equals_sign(machine: Machine) -> None:
    ended = machine.run("--directory=with=sign", "--region=us-east-1")
    assert ended.returncode == 0, ended.stderr
    assert (machine.folder / "with=sign/awstoe").exists()
    assert "unknown option x" in machine.run("--uninstall", "--directory", "d", "x").stderr
    assert "--directory: expected a value" in machine.run("--directory=").stderr


def test_a_program_that_does_not_run_is_not_blamed_for_its_signature(machine: Machine) -> None:
    """As in a folder that is mounted without permission to run programs."""
    machine.fake("chmod", "exit 0")
    machine.refused("awstoe does not run here: ")


def test_a_signal_does_not_separate_the_program_from_its_signature(machine: Machine) -> None:
    """It arrives when the old signature has been moved away."""
    assert machine.run().returncode == 0
    signature = machine.directory / "awstoe.sig"
    before = signature.read_bytes()
    signature.write_bytes(b"of the old program")
    path = shutil.which("mv")
    machine.fake("mv", f'{path} "$@"; [ -e sent ] || {{ : > sent; kill -TERM $PPID; }}')
    ended = machine.run()
    assert (machine.folder / "sent").exists()
    assert ended.returncode == 0, ended.stderr
    assert signature.read_bytes() == before
    assert sorted(machine.directory.iterdir()) == [machine.target, signature]


def test_the_folder_may_have_special_characters(machine: Machine) -> None:
    for name in ("with blanks; rm -rf x", "-rf", "quo'te\"s"):
        ended = machine.run("--directory", name)
        assert ended.returncode == 0, ended.stderr
        assert (machine.folder / name / "awstoe").exists()


def test_an_incomplete_script_does_nothing(machine: Machine) -> None:
    text = machine.script.read_text()
    for end in range(0, len(text) - len('main "$@"\n'), 211):
        machine.script.write_text(text[:end])
        ended = machine.run()
        assert "downloading" not in ended.stderr
        assert not machine.home.joinpath(".local").exists()


def test_a_region_or_an_address_can_be_given(
    machine: Machine, server: S3Server, world: World
) -> None:
    server.forget()
    assert machine.run("--region", "us-east-1").returncode == 0
    assert {each.bucket for each in server.requests()} == {"awstoe-us-east-1"}
    server.forget()
    address = world.configuration().region("ap-south-1").folder_address
    assert machine.run("--url", address.rstrip("/")).returncode == 0
    assert {each.bucket for each in server.requests()} == {"awstoe-ap-south-1"}


def test_help_changes_nothing(machine: Machine) -> None:
    ended = machine.run("--help")
    assert ended.returncode == 0
    assert "--uninstall" in ended.stdout
    assert os.listdir(machine.home) == []


def test_the_checksums_list_the_scripts(published: Release) -> None:
    sums = Path(published.document("SHA256SUMS")).read_text()
    for name in ("install.sh", "install.ps1"):
        assert f"  {name}\n" in sums
        assert not re.search("@[A-Z0-9_]+@", Path(published.document(name)).read_text())


@pytest.mark.slow
def test_a_value_that_a_shell_could_run_as_code_is_rejected(world: World) -> None:
    config = world.configuration("product.title=$(reboot)")
    with pytest.raises(ReleaseFailure, match="TITLE has characters"):
        script("install.sh", configuration=config, version="1.0", digests={}, fingerprints=[])
