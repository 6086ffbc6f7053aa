"""An executable replaces itself, with real release keys, a real server and a real swap."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from awstoe import __version__
from awstoe.update import layout
from awstoe_build import freeze, source_info, targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain import cpython, site_packages
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import site as windows_site
from awstoe_signing.tuf.repository import Expiries
from fakes import wine
from fakes.release_server import ReleaseServer
from fakes.releases import Publisher, make_keys, shell_program

NOBODY = 65534
WINDOWS = "windows/amd64"
COMPILER = "x86_64-w64-mingw32-gcc"
LATE = dt.timedelta(days=80 * 365)
"""After 2038, when 32-bit times overflow."""


def missing(name: str) -> str:
    """Return why an executable cannot be built for a target; empty if it can."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "the toolchains are for linux/amd64"
    if name == WINDOWS and (wine.missing() or not shutil.which(COMPILER)):
        return wine.missing() or f"{COMPILER} is missing (package gcc-mingw-w64-x86-64-win32)"
    site = windows_site if name == WINDOWS else site_packages
    if Cache(cache_folder(), print).missing([site.recipe(targets.TARGETS[name])]):
        return f"needs the toolchain: run make toolchain TARGET={name}"
    return "" if name == WINDOWS else cannot_run(name)


def cannot_run(name: str) -> str:
    """Return why this machine cannot run programs for a Linux target; empty if it can."""
    interpreter = Cache(cache_folder(), print).obtain(cpython.recipe(targets.TARGETS[name]))
    try:
        subprocess.run([cpython.program(interpreter), "-c", ""], capture_output=True, check=False)
    except OSError as error:
        return f"this machine cannot run programs for {name}: {error.strerror}"
    return ""


pytestmark = pytest.mark.slow


class World:
    """A publisher, and an executable that trusts it.

    Args:
        folder: The folder for all files.
        server: The server for the releases.
        target: The target of the executable.
        machine: The Wine machine to run it on; None for this machine.
    """

    def __init__(
        self, folder: Path, server: ReleaseServer, target: str, machine: wine.Machine | None
    ) -> None:
        self.target = target
        self.machine = machine
        self.pair = (target.partition("/")[0], target.partition("/")[2])
        self.folder = folder
        self.server = server
        self.publisher = Publisher(
            server.folder, make_keys(30_000), expiries=Expiries(LATE, LATE, LATE, LATE)
        )
        trust = self.publisher.write_trust(folder / "trust", server.url + "{region}/")
        made = freeze.freeze(
            targets.TARGETS[target],
            Cache(cache_folder(), print),
            folder=str(folder / "build"),
            origin=source_info.read(freeze.ROOT),
            trust=str(trust),
            report=print,
        )
        self.built = Path(made.file).read_bytes()
        self.add(__version__, self.built)

    def add(self, version: str, program: bytes, signature: bytes | None = None) -> None:
        self.publisher.add(version, program, signature=signature, target=self.pair)

    def stand_in(self, version: str) -> bytes:
        """Return a small program that prints a version."""
        if self.machine is None:
            return shell_program(version, padding=200_000)
        made = self.folder / f"{version}.exe"
        source = Path(__file__).parents[1] / "fakes/stand_in.c"
        subprocess.run(
            [
                *(COMPILER, "-Os", "-s", f'-DVERSION="{version}"', "-DBROKEN_IN_PLACE=0"),
                *("-include", "string.h", "-o", str(made), str(source)),
            ],
            check=True,
        )
        return made.read_bytes()

    def install(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        path = folder / layout.PROGRAMS[self.pair[0]]
        path.write_bytes(self.built)
        path.chmod(0o755)
        if (
            os.geteuid() == 0 and self.machine is None
        ):  # root would store its trust metadata outside of the test's folder
            for each in (folder, path):
                os.chown(each, NOBODY, NOBODY)
            for each in (self.folder, *self.folder.parents):
                if each.is_relative_to("/tmp") and str(each) != "/tmp":
                    each.chmod(each.stat().st_mode | 0o055)
        return path

    def run(self, program: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Run a program, and return its exit code, JSON and standard error."""
        if self.machine is not None:
            done = self.machine.run(wine.path(program), *arguments, folder=program.parent)
            value = json.loads(done.stdout) if done.stdout.startswith(b"{") else {}
            return done.returncode, value, done.stderr.decode()
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        ended = subprocess.run(
            [program, *arguments],
            cwd=program.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            env={"PATH": os.defpath, "XDG_STATE_HOME": str(program.parent / "state")},
            check=False,
            **user,  # type: ignore[call-overload]
        )
        value = json.loads(ended.stdout) if ended.stdout.startswith("{") else {}
        return ended.returncode, value, ended.stderr


@pytest.fixture(scope="module", params=["linux/amd64", "linux/386", "linux/arm64", WINDOWS])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    if why := missing(request.param):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as stack:
        server = stack.enter_context(ReleaseServer(folder / "served"))
        machine = None
        if request.param == WINDOWS:
            machine = stack.enter_context(wine.machine(folder / "machine"))
        yield World(folder, server, request.param, machine)


def test_built_program_is_up_to_date(world: World) -> None:
    program = world.install("current")
    code, result, errors = world.run(program, "self-update", "--check", "--json")
    assert (code, result.get("outcome")) == (0, "current"), errors
    assert result["executable"].endswith(program.name)
    assert result["target"] == world.target
    assert result["validUntil"] > "2100"


def test_a_built_program_replaces_itself_and_exits_with_success(world: World) -> None:
    """After the swap its own modules lie in a file that has another's name."""
    new = world.stand_in("9.0.0")
    world.add("9.0.0", new)
    program = world.install("replaced")
    code, result, errors = world.run(program, "self-update", "--json")
    assert (code, result.get("outcome")) == (0, "updated"), errors
    assert program.read_bytes() == new
    previous = program.with_name(f"awstoe.previous{program.suffix}")
    assert previous.read_bytes() == world.built
    assert world.run(program, "--version")[0] == 0
    code, result, errors = world.run(previous, "verify-signature")
    assert (code, result.get("verdict")) == (0, "good"), errors


def test_a_built_program_rejects_a_wrong_file(world: World) -> None:
    evil = world.stand_in("9.1.0")
    world.add("9.1.0", evil, world.publisher.keys.stranger.sign(evil))
    program = world.install("refusing")
    code, result, errors = world.run(program, "self-update", "--json")
    assert (code, result.get("exitCode")) == (5, 5), errors
    assert program.read_bytes() == world.built
    world.publisher.publish(withdrawn={"9.1.0": "a test"})


def test_built_program_is_not_replaced_while_it_runs(world: World) -> None:
    if world.machine is not None:
        pytest.skip("the document is for bash")
    program = world.install("running")
    document = program.parent / "document.yml"
    document.write_text(
        "name: d\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: wait\n"
        "        action: ExecuteBash\n        inputs:\n          commands:\n"
        f"            - {program} self-update --json || echo code $?\n"
    )
    code, result, errors = world.run(
        program, "run", "--documents", str(document), "--log-directory", str(program.parent)
    )
    assert code == 0, errors
    console = next(program.parent.glob("TOE_*/console.log")).read_text()
    assert "code 75" in console
    assert program.read_bytes() == world.built
    del result
