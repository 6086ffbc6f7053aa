"""The project around the program: packages, lock file, Makefile and ignored files."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from awstoe import contact

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def outside_make() -> dict[str, str]:
    """Return the environment without make's variables: below `make test`, make says make[1]."""
    return {
        name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAG"))
    }


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file in ``folder`` with size and time, except byte code."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_wheel_contains_only_the_program_and_building_it_does_not_change_build(
    tmp_path: Path,
) -> None:
    before = listing(ROOT / "build")
    assert before
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert listing(ROOT / "build") == before
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.split("/")[0].partition("-")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    assert folders == {"awstoe"}
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources


def test_the_lock_pins_everything_by_hash_and_names_no_host() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_covers_the_requirements_of_the_project() -> None:
    requirements = [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[\[<>=;\s]", each)[0].lower() for each in requirements}
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    assert names <= locked, "run make lock"


def test_the_urls_of_the_package_are_those_of_the_program() -> None:
    addresses = {
        "Repository": contact.REPOSITORY,
        "Issues": contact.ISSUES,
        "Security": contact.SECURITY,
    }
    urls = {name: address for name, address in addresses.items() if "://" in address}
    assert PROJECT["project"].get("urls", {}) == urls, (
        "src/awstoe/contact.py and [project.urls] in pyproject.toml must name the same URLs"
    )


def test_every_target_of_the_makefile_is_short_and_explained() -> None:
    rules = re.findall(r"^([a-z-]+):(?!=)(.*)\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    assert {"help", "demo", "lint", "test", "bench", "clean", "docs"} <= {rule[0] for rule in rules}
    for name, head, recipe in rules:
        assert " ## " in f" {head}", name
        assert recipe.count("\n") <= 3, name


def test_make_clean_never_removes_the_tracked_build_folder() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "clean"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    removed = re.findall(r"rm -rf (.*)", planned)
    assert removed
    assert "build" not in " ".join(removed).replace("find src build", "").split()


def test_build_is_tracked_and_not_ignored() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git working tree")
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "build/awstoe_dev/environment.py"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    assert ignored.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="make is for Linux")
@pytest.mark.parametrize(
    ("arrangement", "message"),
    [
        ("no-python", "no-such-python is missing"),
        ("no-venv", "apt-get install python3-venv"),
        ("too-old", "3.11, 3.12 or 3.13 is required"),
    ],
)
def test_make_names_what_is_missing_in_one_line(
    arrangement: str, message: str, tmp_path: Path
) -> None:
    env = outside_make()
    python = sys.executable
    if arrangement == "no-python":
        python = "no-such-python"
    if arrangement == "no-venv":
        (tmp_path / "ensurepip.py").write_text("raise ImportError\n")
        env["PYTHONPATH"] = str(tmp_path)
    if arrangement == "too-old":
        (tmp_path / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 9, 2)\n")
        env["PYTHONPATH"] = str(tmp_path)
    ended = subprocess.run(
        ["make", f"PYTHON={python}", f"MADE={tmp_path}/made", f"{tmp_path}/made"],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode != 0
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, ended.stderr
    assert message in lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_test_that_hangs_ends_the_run_as_a_failure_that_names_it(
    workers: str, tmp_path: Path
) -> None:
    hanging = "import threading\n\n\ndef test_hangs():\n    threading.Event().wait()\n"
    (tmp_path / "test_one.py").write_text(hanging + "\n\ndef test_next():\n    pass\n")
    settings = PROJECT["tool"]["pytest"]["ini_options"]
    assert 300 <= settings["faulthandler_timeout"] <= 900
    exits = str(settings["faulthandler_exit_on_timeout"]).lower()
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nfaulthandler_timeout = 2\nfaulthandler_exit_on_timeout = {exits}\n"
    )
    (options,) = re.findall(r"^PYTEST := .* -m pytest -n auto (.*)$", MAKEFILE, re.MULTILINE)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, *options.split(), str(tmp_path)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 1
    assert "in test_hangs" in ended.stderr  # the stacks of all threads
    if workers != "0":
        assert "crashed while running 'test_one.py::test_hangs'" in ended.stdout
        assert "1 failed, 1 passed" in ended.stdout


@pytest.mark.parametrize(
    "chosen", ["tests/cli/test_kill.py", "tests/a.py::test_b tests/c.py", "'tests/a.py::test[b c]'"]
)
def test_make_runs_the_chosen_tests_and_writes_their_golden_files(chosen: str) -> None:
    for target, option in (("test", ""), ("golden", "--update-golden ")):
        command = ["make", "--dry-run", target, f"T={chosen}"]
        ended = subprocess.run(
            command, cwd=ROOT, env=outside_make(), check=True, capture_output=True, text=True
        )
        assert ended.stdout.rstrip().endswith(f"-q {option}{chosen}")
