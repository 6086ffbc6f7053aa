"""Fixtures of the conformance tests: a place to run in, in which nothing may be left."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from awstoe.host.platforms import Platform
from cli.running import wait_until
from conformance.place import Place
from subject import chosen

LINUX, FILE, WINDOWS = chosen().platform is Platform.LINUX, chosen().frozen, chosen().under_wine
# Which test modules apply to the subject. The others are for other kinds of programs.
SUITABLE = {
    "test_cases.py": True,
    "test_pitfalls.py": True,
    "test_environment.py": LINUX,
    "test_processes.py": LINUX and FILE,
    "test_unpacking.py": LINUX and FILE,
    "test_unpack_attacks.py": LINUX and FILE,
    "test_roots.py": LINUX and FILE,
    "test_windows.py": WINDOWS and FILE,
}
collect_ignore = [name for name, suits in SUITABLE.items() if not suits]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of the emulated machine that the subject runs on; empty for this machine."""
    if not chosen().under_wine:
        yield {}
        return
    from fakes import wine  # noqa: PLC0415 - it needs the tooling of the build

    with wine.machine(tmp_path_factory.mktemp("windows")) as made:
        yield made.environment


@pytest.fixture
def place(tmp_path: Path, machine: Mapping[str, str]) -> Iterator[Place]:
    """A place that is checked afterward: nothing may be left in the temporary folder."""
    new_place = Place(tmp_path, machine)
    yield new_place
    new_place.clean_up()
    wait_until(lambda: not new_place.leftovers())
