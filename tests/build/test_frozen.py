"""The built file as its users meet it: environment, signals, what it leaves behind.

Skipped when there is no built file: ``make build`` makes it, ``make test`` does not need it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from awstoe import __version__

ROOT = Path(__file__).parent.parent.parent
FILE = Path(
    os.environ.get("AWSTOE_FILE") or ROOT / "dist" / __version__ / "linux" / "amd64" / "awstoe"
)
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not FILE.is_file(), reason=f"{FILE} is not there: run make build"
)

DOCUMENT = """\
name: frozen
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: step
        action: ExecuteBash
        inputs:
          commands:
"""


class Place:
    """A temporary folder for the program to unpack to, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            "AWSTOE_FILE": str(FILE),
        }

    def unpacked(self) -> list[str]:
        return sorted(each for each in os.listdir(self.temporary) if each.startswith("_MEI"))

    def arguments(self, *commands: str) -> list[str]:
        document = self.folder / "document.yml"
        document.write_text(DOCUMENT + "".join(f"            - {each}\n" for each in commands))
        places = ["--log-directory", str(self.folder), "--state-directory", str(self.folder / "s")]
        return [str(FILE), "run", "--documents", str(document), *places]

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str, str]:
        program = self.start(*command, **environment)
        out, err = program.communicate(timeout=60)
        return program.returncode, out, err


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def until(happened: Callable[[], object], *, seconds: float = 20) -> None:
    over = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < over, "it did not happen in time"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_tells_its_version_and_leaves_nothing(place: Place) -> None:
    assert place.run(str(FILE), "--version") == (0, f"awstoe {__version__}\n", "")
    assert os.listdir(place.temporary) == []


def test_every_action_module_is_inside(place: Place) -> None:
    code, out, _ = place.run(str(FILE), "actions")
    assert code == 0
    for name in out.split():
        if name.isalpha() and name in ("ExecuteBash", "ReadFile", "UpdateOS", "Assert"):
            assert place.run(str(FILE), "actions", name)[0] == 0


@pytest.mark.parametrize("value", [None, "", "/opt/mine"])
def test_children_get_the_callers_environment(place: Place, value: str | None) -> None:
    given = {} if value is None else {"LD_LIBRARY_PATH": value}
    code, _, err = place.run(*place.arguments("env -0 > seen", "true"), **given)
    assert code == 0, err
    (seen,) = place.folder.rglob("seen")
    lines = seen.read_text().rstrip("\0").split("\0")
    found = dict(line.split("=", 1) for line in lines)
    assert not [name for name in found if name.startswith(("_PYI", "_MEI", "PYINSTALLER"))]
    assert "_MEI" not in seen.read_text()
    assert found.get("LD_LIBRARY_PATH") == (value or None)
    assert "LD_LIBRARY_PATH_ORIG" not in found
    assert {name: found.get(name) for name in place.environment} == place.environment


def test_a_nested_awstoe_in_the_background_outlives_its_parent(place: Place) -> None:
    inner = place.folder / "inner.yml"
    steps = DOCUMENT + "            - sleep 2\n            - touch done\n"
    inner.write_text(steps.replace("touch done", f"touch {place.folder}/done"))
    nested = f'"$AWSTOE_FILE" run --documents {inner} --log-directory {place.folder}/inner'
    code, _, err = place.run(*place.arguments(f"nohup {nested} > log 2>&1 < /dev/null &"))
    assert code == 0, err
    assert not (place.folder / "done").exists()
    until((place.folder / "done").exists)
    until(lambda: place.unpacked() == [])


def test_a_failed_step_gives_its_code_and_leaves_nothing(place: Place) -> None:
    code, out, _ = place.run(*place.arguments("exit 3"))
    assert code != 0
    assert '"failed"' in out.lower() or "failed" in out.lower()
    assert place.unpacked() == []


@pytest.fixture
def running(place: Place) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The boot loader, and the process id of the program that is carrying out a long step."""
    program = place.start(*place.arguments(f"touch {place.folder}/started", "sleep 60"))
    until((place.folder / "started").exists)
    (child,) = children(program.pid)
    yield program, child
    if program.poll() is None:
        program.kill()
    program.communicate(timeout=20)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)]
)
def test_a_signal_to_the_boot_loader_ends_the_run_once(
    place: Place, running: tuple[subprocess.Popen[str], int], number: int, code: int
) -> None:
    program, child = running
    program.send_signal(number)
    _, err = program.communicate(timeout=20)
    assert program.returncode == code
    assert not alive(child)
    assert "Traceback" not in err
    assert place.unpacked() == []


def test_ctrl_c_that_arrives_twice_counts_once(
    place: Place, running: tuple[subprocess.Popen[str], int]
) -> None:
    program, child = running
    os.kill(child, signal.SIGINT)
    program.send_signal(signal.SIGINT)
    out, _ = program.communicate(timeout=20)
    assert program.returncode == 130
    assert "executionId" in out
    assert place.unpacked() == []


def test_killing_the_boot_loader_ends_the_program_which_removes_its_folder(
    place: Place, running: tuple[subprocess.Popen[str], int]
) -> None:
    program, child = running
    assert place.unpacked()
    program.kill()
    program.wait(timeout=20)
    until(lambda: not alive(child))
    until(lambda: place.unpacked() == [])


def test_killing_the_program_lets_the_boot_loader_remove_its_folder(
    place: Place, running: tuple[subprocess.Popen[str], int]
) -> None:
    program, child = running
    os.kill(child, signal.SIGKILL)
    program.communicate(timeout=20)
    assert program.returncode == -signal.SIGKILL
    assert place.unpacked() == []


def test_a_file_that_replaces_the_running_one_does_not_disturb_it(place: Place) -> None:
    own = place.folder / "awstoe"
    own.write_bytes(FILE.read_bytes())
    own.chmod(0o755)
    arguments = place.arguments(
        f"touch {place.folder}/started",
        f"while [ ! -e {place.folder}/go ]; do sleep 0.05; done",
    )
    with open(arguments[3], "a", encoding="utf-8") as stream:
        stream.write(
            """\
      - name: later
        action: CreateFile
        inputs:
          - path: PLACE/late
            content: late
      - name: latest
        action: SetFileEncoding
        inputs:
          - path: PLACE/late
            encoding: utf16
""".replace("PLACE", str(place.folder))
        )
    program = place.start(str(own), *arguments[1:])
    until((place.folder / "started").exists)
    other = place.folder / "other"
    other.write_bytes(b"another program")
    other.replace(own)
    (place.folder / "go").touch()
    _, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert (place.folder / "late").exists()
    assert place.unpacked() == []


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_YY.UTF-8"])
def test_output_is_utf8_under_any_locale(place: Place, locale: str) -> None:
    document = place.folder / "grüße.yml"
    document.write_text("name: ü\nschemaVersion: 1.0\nphases: []\n")
    code, out, err = place.run(str(FILE), "validate", "-d", str(document), LC_ALL=locale)
    assert code != 0
    assert "grüße.yml" in out + err


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_do_not_keep_it_from_running(place: Place, closed: str) -> None:
    arguments = place.arguments(f"touch {place.folder}/ran")
    place.run("bash", "-c", f'exec "$@" {closed}', "bash", *arguments)
    assert (place.folder / "ran").exists()
    assert place.unpacked() == []


def mount(place: Place, options: str, command: str) -> tuple[int, str, str]:
    """Run a command with a small file system of its own on the temporary folder."""
    script = f'mount -t tmpfs -o {options} none "$TMPDIR" && {command}; code=$?; ls "$TMPDIR"'
    program = f"{script}; exit $code"
    ended = place.run("unshare", "--user", "--map-root-user", "--mount", "bash", "-c", program)
    if "unshare:" in ended[2] or "mount:" in ended[2]:
        pytest.skip(f"this machine lets nobody mount: {ended[2].strip()}")
    return ended


def test_a_folder_mounted_noexec_is_passed_over(place: Place) -> None:
    code, out, err = mount(place, "noexec", '"$AWSTOE_FILE" --version')
    assert (code, out, err) == (0, f"awstoe {__version__}\n", "")


def test_a_full_folder_is_told_in_plain_words_and_left_empty(place: Place) -> None:
    code, out, err = mount(place, "size=3m", '"$AWSTOE_FILE" --version')
    assert code != 0
    assert out == ""
    assert "awstoe cannot unpack itself to" in err
    assert "TMPDIR" in err


def test_many_starts_at_once_do_not_disturb_each_other(place: Place) -> None:
    programs = [place.start(str(FILE), "--version") for _ in range(50)]
    ended = [(program.communicate(timeout=120), program.returncode) for program in programs]
    assert ended == [((f"awstoe {__version__}\n", ""), 0)] * 50
    assert os.listdir(place.temporary) == []
