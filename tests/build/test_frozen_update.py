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
from fakes.made_once import made_once
from fakes.release_server import ReleaseServer
from fakes.releases import Publisher, make_keys, shell_program

NOBODY = 65534
WINDOWS = "windows/amd64"
COMPILER = "x86_64-w64-mingw32-gcc"
LATE = dt.timedelta(days=40 * 365)
"""After 2038, when signed 32-bit times overflow, and before 2106, the last year of OpenPGP."""


def missing(name: str) -> str:
    """Return why an executable cannot be built for a target; empty if it can."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "the toolchains are for linux/amd64"
    subject = os.environ.get("AWSTOE_SUBJECT")
    if name != (subject if subject in targets.TARGETS else targets.BUILD_MACHINE.name):
        return f"part of make conformance TARGET={name}"
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


ADDRESS = "http://releases.awstoe.invalid/{region}/"
"""Where the programs look for releases: each worker's server is their proxy."""
NEWER, FORGED = "9.0.0", "9.1.0"


def publish(folder: Path, target: str) -> None:
    """Freeze a program, and publish it and others: in three folders, one for each scene.

    Nothing here depends on the worker, so one worker makes it for all of them.
    """
    pair = (target.partition("/")[0], target.partition("/")[2])
    publisher = Publisher(
        folder / "served", make_keys(LATE.days), expiries=Expiries(LATE, LATE, LATE, LATE)
    )
    made = freeze.freeze(
        targets.TARGETS[target],
        Cache(cache_folder(), print),
        folder=str(folder / "build"),
        origin=source_info.read(freeze.ROOT),
        trust=str(publisher.write_trust(folder / "trust", ADDRESS)),
        report=print,
    )
    built = Path(made.file).read_bytes()
    (folder / "program").write_bytes(built)
    shutil.rmtree(folder / "build")
    publisher.add(__version__, built, target=pair)
    shutil.copytree(publisher.folder, folder / "current")
    publisher.add(NEWER, stand_in(folder, NEWER, target), target=pair)
    shutil.copytree(publisher.folder, folder / "newer")
    evil = stand_in(folder, FORGED, target)
    publisher.add(FORGED, evil, signature=publisher.keys.stranger.sign(evil), target=pair)
    publisher.folder.rename(folder / "forged")


def stand_in(folder: Path, version: str, target: str) -> bytes:
    """Return a small program that prints a version."""
    if target != WINDOWS:
        return shell_program(version, padding=200_000)
    made = folder / f"{version}.exe"
    source = Path(__file__).parents[1] / "fakes/stand_in.c"
    subprocess.run(
        [
            *(COMPILER, "-Os", "-s", f'-DVERSION="{version}"', "-DBROKEN_IN_PLACE=0"),
            *("-include", "string.h", "-o", str(made), str(source)),
        ],
        check=True,
    )
    return made.read_bytes()


class World:
    """A frozen program, the server that it gets releases from, and a folder to install it in.

    Args:
        made: What ``publish`` made.
        folder: The folder for the files of this worker.
        server: The server for the releases.
        target: The target of the program.
        machine: The Wine machine to run it on; None for this machine.
    """

    def __init__(
        self,
        made: Path,
        folder: Path,
        server: ReleaseServer,
        target: str,
        machine: wine.Machine | None,
    ) -> None:
        self.made = made
        self.folder = folder
        self.server = server
        self.target = target
        self.machine = machine
        self.pair = (target.partition("/")[0], target.partition("/")[2])
        self.built = (made / "program").read_bytes()

    def serve(self, scene: str) -> None:
        """Serve the releases of a scene: ``current``, ``newer`` or ``forged``."""
        self.server.folder = self.made / scene

    def released(self, version: str) -> bytes:
        """Return the program of a version that is served."""
        return (self.server.folder / layout.program_path(version, *self.pair)).read_bytes()

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
        # Each installation has its own trust metadata: the tests run in any order, and newer
        # metadata would make that of another scene a rollback.
        state = program.parent / "state"
        if self.machine is not None:
            (self.machine.drive_c / program.parent.name).mkdir(exist_ok=True)
            drive_c = f"C:\\{program.parent.name}"
            own = dict.fromkeys(("ProgramData", "LOCALAPPDATA"), drive_c)
            done = self.machine.run(
                wine.path(program),
                *arguments,
                folder=program.parent,
                environment={**own, "HTTP_PROXY": self.server.url},
            )
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
            env={
                "PATH": os.defpath,
                "XDG_STATE_HOME": str(state),
                "http_proxy": self.server.url,
            },
            check=False,
            **user,  # type: ignore[call-overload]
        )
        value = json.loads(ended.stdout) if ended.stdout.startswith("{") else {}
        return ended.returncode, value, ended.stderr


@pytest.fixture(scope="module", params=["linux/amd64", "linux/386", "linux/arm64", WINDOWS])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    target: str = request.param
    if why := missing(target):
        pytest.skip(why)
    made = made_once(
        tmp_path_factory,
        f"frozen-{target.replace('/', '-')}",
        lambda folder: publish(folder, target),
    )
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as stack:
        server = stack.enter_context(ReleaseServer(made / "current"))
        machine = None
        if target == WINDOWS:
            machine = stack.enter_context(wine.machine(folder / "machine"))
        yield World(made, folder, server, target, machine)


def test_built_program_is_up_to_date(world: World) -> None:
    world.serve("current")
    program = world.install("current")
    code, result, errors = world.run(program, "self-update", "--check", "--json")
    assert (code, result.get("outcome")) == (0, "current"), errors
    assert result["executable"].endswith(program.name)
    assert result["target"] == world.target
    assert result["validUntil"] > "2038-01-20"


def test_a_built_program_replaces_itself_and_exits_with_success(world: World) -> None:
    """After the swap, the modules that it has not loaded yet are in a file with another name."""
    world.serve("newer")
    new = world.released(NEWER)
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
    world.serve("forged")
    program = world.install("refusing")
    code, result, errors = world.run(program, "self-update", "--json")
    assert (code, result.get("exitCode")) == (5, 5), errors
    assert "no trusted key made it" in errors
    assert program.read_bytes() == world.built


def test_built_program_is_not_replaced_while_it_runs(world: World) -> None:
    if world.machine is not None:
        pytest.skip("the document is for bash")
    world.serve("newer")
    program = world.install("running")
    document = program.parent / "document.yml"
    document.write_text(
        "name: d\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: wait\n"
        "        action: ExecuteBash\n        inputs:\n          commands:\n"
        f"            - {program} self-update --json || echo code $?\n"
    )
    code, _, errors = world.run(
        program, "run", "--documents", str(document), "--log-directory", str(program.parent)
    )
    assert code == 0, errors
    console = next(program.parent.glob("TOE_*/console.log")).read_text()
    assert "code 75" in console
    assert program.read_bytes() == world.built
