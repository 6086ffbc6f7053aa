"""Runs .ci/run with fakes of make, apt-get and others that record how they are called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe_build import prerequisites, targets
from awstoe_build.failure import BuildFailure

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script for Linux")
SCRIPT = Path(__file__).parent.parent / ".ci" / "run"
TARGETS = ["linux/amd64", "linux/386", "linux/arm64", "windows/amd64"]
REHEARSAL = "release-rehearsal TARGETS=linux/amd64 ARGS=--without conformance"
CALLED = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'


class Machine:
    """A folder with the script, and programs that only record their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        (folder / ".ci").mkdir()
        shutil.copy(SCRIPT, folder / ".ci" / "run")
        for name in ("make", "git", "debootstrap", "apt-get", "mount", "go"):
            self.program(f"bin/{name}", CALLED)
        self.program("bin/python3", "#!/bin/sh\n")
        self.program("bin/id", "#!/bin/sh\necho 0\n")
        names = "\n".join(TARGETS)
        (folder / "binfmt").mkdir()
        (folder / "binfmt" / "qemu-aarch64").touch()
        self.program(".venv/bin/python", f'#!/bin/sh\necho "{names}"\n')

    def program(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / ".ci" / "run", *arguments],
            env={
                "PATH": path,
                # The script looks for tools below it. CI itself may have put them in the real one.
                "HOME": str(self.folder),
                "CALLS": str(self.calls),
                "PYTHON": "python3",
                "AWSTOE_CI_BINFMT": str(self.folder / "binfmt"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def made(self) -> list[str]:
        """Return the arguments of all calls of make."""
        lines = self.calls.read_text().splitlines()
        return [line.removeprefix("make ") for line in lines if line.startswith("make ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def stages(*targets: str) -> list[str]:
    """Return the expected calls of make. The rehearsal follows the tests of this machine's file."""
    own, *others = (
        [f"{step} TARGET={each}" for step in ("toolchain", "build", "conformance")]
        for each in targets
    )
    return [
        "lint",
        "test",
        "fuzz CASES=1000",
        *own,
        REHEARSAL,
        *(step for each in others for step in each),
    ]


@pytest.mark.parametrize(
    ("arguments", "environment", "targets"),
    [
        ([], {}, ["linux/amd64", "windows/amd64", "linux/386", "linux/arm64"]),
        (["linux/amd64"], {}, ["linux/amd64"]),
        (["all"], {}, TARGETS),
        ([], {"AWSTOE_CI_TARGETS": "all"}, TARGETS),
        (["linux/arm64"], {}, ["linux/amd64", "linux/arm64"]),
        ([], {"AWSTOE_CI_TARGETS": "windows/amd64"}, ["linux/amd64", "windows/amd64"]),
    ],
)
def test_this_machines_and_the_chosen_targets_are_built_and_tested_and_a_release_is_rehearsed(
    machine: Machine, arguments: list[str], environment: dict[str, str], targets: list[str]
) -> None:
    ended = machine.run(*arguments, **environment)
    assert ended.returncode == 0, ended.stderr
    assert machine.made() == stages(*targets)
    for target in targets:
        assert f"s  {target}: conformance\n" in ended.stderr
    assert "s  together" in ended.stderr


@pytest.mark.parametrize(
    ("minutes", "made", "left_out"),
    [
        (22, stages("linux/amd64", "windows/amd64"), ["linux/386", "linux/arm64"]),
        (9, stages("linux/amd64"), ["windows/amd64", "linux/386", "linux/arm64"]),
    ],
)
def test_targets_without_enough_time_are_left_out(
    machine: Machine, minutes: int, made: list[str], left_out: list[str]
) -> None:
    script = machine.folder / ".ci" / "run"
    text = script.read_text()
    assert text.count("readonly limit=80\n") == 1
    script.write_text(text.replace("readonly limit=80\n", f"readonly limit={minutes}\n"))
    ended = machine.run()
    assert ended.returncode == 0, ended.stderr
    assert machine.made() == made
    lines = [line for line in ended.stderr.splitlines() if "left out" in line]
    assert [line.split(": ")[1] for line in lines] == left_out
    assert "ci: linux/386: left out: it may need 25 minutes, but only " in ended.stderr


def test_a_foreign_file_is_built_but_not_tested_if_the_kernel_cannot_register_qemu(
    machine: Machine,
) -> None:
    ended = machine.run("linux/arm64", AWSTOE_CI_BINFMT="nowhere")
    assert ended.returncode == 0, ended.stderr
    assert machine.made() == stages("linux/amd64", "linux/arm64")[:-1]
    assert "mount -t binfmt_misc binfmt_misc nowhere" in machine.calls.read_text()
    assert "ci: linux/arm64: not tested" in ended.stderr


def test_the_linter_of_the_workflows_is_installed_where_go_is(machine: Machine) -> None:
    ended = machine.run("linux/amd64", PATH=f"{machine.folder}/bin:/usr/bin:/bin")
    assert ended.returncode == 0, ended.stderr
    assert "go install github.com/rhysd/actionlint/cmd/actionlint@v" in machine.calls.read_text()


def test_a_linter_that_cannot_be_installed_does_not_end_the_run(machine: Machine) -> None:
    machine.program("bin/go", "#!/bin/sh\nexit 1\n")
    ended = machine.run("linux/amd64", PATH=f"{machine.folder}/bin:/usr/bin:/bin")
    assert ended.returncode == 0, ended.stderr
    assert "ci: actionlint cannot be installed: its test is skipped" in ended.stderr


def test_a_failed_stage_ends_the_run_and_all_times_are_printed(machine: Machine) -> None:
    machine.program("bin/make", CALLED + 'test "$1" != test\n')
    ended = machine.run()
    assert ended.returncode == 1
    assert machine.made() == ["lint", "test"]
    assert "s  lint\n" in ended.stderr
    assert "s  tests: FAILED\n" in ended.stderr


def test_packages_that_a_toolchain_lacks_are_installed_with_the_command_it_prints(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "_is_installed", lambda _: False)
    with pytest.raises(BuildFailure) as failure:
        prerequisites.check(
            [targets.TARGETS["linux/386"]], building=True, cache=str(tmp_path), out=str(tmp_path)
        )
    printed = machine.folder / "printed"
    printed.write_text(f"awstoe-build: {failure.value.message}\n  hint: {failure.value.hint}\n")
    lacking = (
        'test "$1" != toolchain -o -e installed && exit 0\n'
        'cat printed >&2; echo "make: *** [Makefile:46: toolchain] Error 1" >&2; exit 2\n'
    )
    machine.program("bin/make", CALLED + lacking)
    machine.program("bin/dpkg", CALLED)
    machine.program("bin/apt-get", CALLED + '[ "$1" != install ] || touch installed\n')
    ended = machine.run("linux/386")
    assert ended.returncode == 0, ended.stderr
    calls = [
        line
        for line in machine.calls.read_text().splitlines()
        if line.startswith(("dpkg ", "apt-get "))
    ]
    added, update, installed = [line for line in calls if line != "apt-get update -qq"]
    assert (added, update) == ("dpkg --add-architecture i386", "apt-get update")
    assert installed.startswith("apt-get install -qq --yes --no-install-recommends ")
    assert {"autoconf", "libc6:i386"} < set(installed.split())


def test_without_root_it_prints_what_to_install(machine: Machine) -> None:
    machine.program("bin/id", "#!/bin/sh\necho 1000\n")
    machine.program("bin/python3", "#!/bin/sh\nexit 1\n")
    ended = machine.run()
    assert ended.returncode == 1
    assert "as root: apt-get install python3-venv" in ended.stderr
    assert not machine.calls.exists()
