"""The executable for Windows, under Wine: what only Windows has.

``AWSTOE_WINDOWS_FILE`` names another file to test. tests/conformance has the tests for all systems.
"""

import json
import os
import shutil
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from awstoe_build.inspection import pe
from fakes import wine
from subject import file_of

FILE: Final = Path(os.environ.get("AWSTOE_WINDOWS_FILE") or file_of("windows/amd64"))
SECONDS: Final = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FILE.is_file(), reason=f"no {FILE.name}: run make build TARGET=windows/amd64"
    ),
    pytest.mark.skipif(bool(wine.missing()), reason=wine.missing() or "it can run"),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wine.Machine]:
    with wine.machine(tmp_path_factory.mktemp("windows")) as made:
        yield made


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return Path(shutil.copy(FILE, tmp_path / "awstoe.exe"))


def python(machine: wine.Machine, code: str, *arguments: str) -> str:
    """Run code in the machine's interpreter, and return its output."""
    ended = machine.run(
        *(wine.path(machine.python), "-c", textwrap.dedent(code), *arguments), seconds=SECONDS * 2
    )
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")
    return ended.stdout.decode().replace("\r\n", "\n").strip()


def unpacked(machine: wine.Machine) -> list[Path]:
    """Return the unpack folders that exist."""
    return [
        *machine.drive_c.glob("users/*/Temp/_MEI*"),
        *machine.drive_c.glob("users/*/AppData/Local/Temp/_MEI*"),
        *machine.drive_c.glob("windows/temp/_MEI*"),
    ]


def document(folder: Path, machine: wine.Machine, code: str) -> Path:
    """Write a document with one step, which runs code in the machine's interpreter."""
    path = folder / "document.yml"
    path.write_text(
        textwrap.dedent(f"""\
            name: windows
            schemaVersion: 1.0
            phases:
              - name: build
                steps:
                  - name: Python
                    action: ExecuteBinary
                    inputs:
                      path: '{wine.path(machine.python)}'
                      arguments: ['-c', '{code}']
            """),
        encoding="utf-8",
    )
    return path


def run_arguments(path: Path) -> tuple[str, ...]:
    logs = wine.path(path.parent / "logs")
    return ("run", "--documents", wine.path(path), "--log-directory", logs)


def test_awstoe_runs_and_leaves_nothing(machine: wine.Machine, program: Path) -> None:
    ended = machine.run(wine.path(program), "--version")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"awstoe ")
    assert unpacked(machine) == []


def test_the_file_properties_on_windows_are_complete(machine: wine.Machine) -> None:
    executable = pe.read(FILE.read_bytes(), FILE.name)
    assert executable.has_version
    assert "longPathAware" in executable.manifest
    code = """
        import ctypes, sys
        version = ctypes.windll.version
        size = version.GetFileVersionInfoSizeW(sys.argv[1], None)
        data = ctypes.create_string_buffer(size)
        assert version.GetFileVersionInfoW(sys.argv[1], 0, size, data)
        for name in sys.argv[2:]:
            value, length = ctypes.c_wchar_p(), ctypes.c_uint()
            path = "\\\\StringFileInfo\\\\040904B0\\\\" + name
            assert version.VerQueryValueW(data, path, ctypes.byref(value), ctypes.byref(length))
            print(value.value)
        """
    names = ("CompanyName", "FileDescription", "OriginalFilename", "ProductName", "LegalCopyright")
    shown = python(machine, code, wine.path(FILE), *names).splitlines()
    assert shown[:4] == [
        "the awstoe authors",
        "Runs AWSTOE component documents",
        "awstoe.exe",
        "awstoe",
    ]
    assert "Apache License" in shown[4]


def test_the_facts_about_its_parts_are_correct(machine: wine.Machine, program: Path) -> None:
    code = """
        import platform, ssl, zlib
        print("CPython", platform.python_version())
        print("OpenSSL", ssl.OPENSSL_VERSION.split()[1])
        print("zlib", zlib.ZLIB_RUNTIME_VERSION)
        """
    ended = machine.run(wine.path(program), "version", "--json")
    facts = json.loads(ended.stdout)
    listed = {f"{package['name']} {package['version']}" for package in facts["packages"]}
    assert set(python(machine, code).splitlines()) <= listed
    assert facts["target"] == "windows/amd64"


def test_children_search_libraries_in_the_usual_folders(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    code = (
        "import ctypes; buffer = ctypes.create_unicode_buffer(999);"
        " print(ctypes.windll.kernel32.GetDllDirectoryW(999, buffer), buffer.value)"
    )
    path = document(tmp_path, machine, code)
    ended = machine.run(wine.path(program), *run_arguments(path), seconds=SECONDS)
    assert ended.returncode == 0, ended.stderr
    (log,) = (tmp_path / "logs").glob("*/console.log")
    assert "Stdout: 0 \n" in log.read_text(encoding="utf-8").replace("\r\n", "\n") + "\n"


def test_without_a_temporary_folder_it_unpacks_elsewhere(
    machine: wine.Machine, program: Path
) -> None:
    nowhere = dict.fromkeys(("TMP", "TEMP", "USERPROFILE"), "C:\\not\\there")
    ended = machine.run(wine.path(program), "--version", environment=nowhere)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert unpacked(machine) == []
    assert list(program.parent.glob("_MEI*")) == []


def test_a_replaced_executable_does_not_disturb_a_run(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    code = (
        "import os, time, pathlib;"
        f' pathlib.Path(r"{wine.path(started)}").touch();'
        f' aside = r"{wine.path(program.with_suffix(".old"))}";'
        " end = time.time() + 60;"
        " [time.sleep(0.1) for _ in range(600) if not os.path.exists(aside)];"
        " raise SystemExit(7)"
    )
    path = document(tmp_path, machine, code)
    replacing = """
        import os, subprocess, sys, time
        program, started = sys.argv[1:3]
        process = subprocess.Popen([program, *sys.argv[3:]], stdout=subprocess.PIPE)
        end = time.time() + 60
        while not os.path.exists(started) and time.time() < end:
            time.sleep(0.1)
        with open(program + ".new", "wb") as stream:
            stream.write(b"another program" * 1000000)
        os.rename(program, program.removesuffix(".exe") + ".old")
        os.rename(program + ".new", program)
        output = process.communicate(timeout=60)[0]
        print(process.returncode, b"failedStepCount" in output)
        """
    arguments = (wine.path(program), wine.path(started), *run_arguments(path))
    assert python(machine, replacing, *arguments) == "1 True"
    assert unpacked(machine) == []


def test_killing_the_bootloader_stops_the_run_and_its_folder_is_removed(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    started, finished = tmp_path / "started", tmp_path / "finished"
    code = (
        "import time, pathlib;"
        f' pathlib.Path(r"{wine.path(started)}").touch(); time.sleep(20);'
        f' pathlib.Path(r"{wine.path(finished)}").touch()'
    )
    path = document(tmp_path, machine, code)
    killing = """
        import os, subprocess, sys, time
        null = subprocess.DEVNULL
        process = subprocess.Popen(sys.argv[2:], stdin=null, stdout=null, stderr=null)
        end = time.time() + 60
        while not os.path.exists(sys.argv[1]) and time.time() < end:
            time.sleep(0.1)
        process.kill()
        print(process.wait())
        """
    arguments = (wine.path(started), wine.path(program), *run_arguments(path))
    assert python(machine, killing, *arguments) == "1"
    assert started.exists()
    end = time.monotonic() + SECONDS
    while unpacked(machine) and time.monotonic() < end:
        time.sleep(0.2)
    assert unpacked(machine) == []
    time.sleep(max(0.0, 21 - (time.monotonic() - end + SECONDS)))
    assert not finished.exists()
    (detailed,) = (tmp_path / "logs").glob("*/detailedoutput.json")
    assert '"failed"' in detailed.read_text(encoding="utf-8")


def test_another_processs_event_with_its_name_does_not_stop_it(
    machine: wine.Machine, program: Path
) -> None:
    """The names for all process IDs that the bootloader may get are taken, and the events set."""
    taking = """
        import _winapi, subprocess, sys
        taken = [
            _winapi.CreateEventW(0, True, True, f"Local\\\\awstoe-stop-{pid}")
            for pid in range(4, 8000, 4)
        ]
        process = subprocess.Popen([*sys.argv[1:], "--version"], stdout=subprocess.PIPE)
        output = process.communicate(timeout=60)[0]
        print(process.returncode, output.split()[0], 4 <= process.pid < 8000)
        """
    assert python(machine, taking, wine.path(program)) == "0 b'awstoe' True"
    assert unpacked(machine) == []


RENAMING = """
    import glob, os, subprocess, sys, time
    parent, started, go, *command = sys.argv[1:]
    environment, null = {**os.environ, "TMP": parent, "TEMP": parent}, subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=environment)
    while not os.path.exists(started) and process.poll() is None:
        time.sleep(0.05)
    (folder,) = glob.glob(parent + r"\\_MEI*")
    try:
        os.rename(folder, folder + "-gone")
        print("renamed")
    except OSError as error:
        print(error.winerror)
    open(go, "w").close()
    print(process.wait(), os.listdir(parent))
    """


def test_another_process_cannot_rename_the_unpack_folder(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    parent, started, go = (tmp_path / name for name in ("open", "started", "go"))
    parent.mkdir()
    code = (
        "import os, time, pathlib;"
        f' pathlib.Path(r"{wine.path(started)}").touch();'
        f' [time.sleep(0.05) for _ in range(2000) if not os.path.exists(r"{wine.path(go)}")]'
    )
    command = (wine.path(program), *run_arguments(document(tmp_path, machine, code)))
    shown = python(machine, RENAMING, *map(wine.path, (parent, started, go)), *command)
    assert shown.splitlines() == ["32", "0 []"]  # ERROR_SHARING_VIOLATION


PLANTED = """
    import os, subprocess, sys
    folder, *command = sys.argv[1:]
    for name in ("ping", "cmd", "rmdir"):
        for extension in ("bat", "cmd"):
            with open(os.path.join(folder, f"{name}.{extension}"), "w") as stream:
                stream.write(f'@echo planted > "{folder}\\\\planted.txt"')
    environment = {**os.environ, "TMP": folder, "TEMP": folder}
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=environment)
    while not os.path.exists(folder + r"\\started"):
        pass
    process.kill()
    process.wait()
    """


def test_nothing_planted_beside_the_unpack_folder_runs_when_it_is_removed(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    code = (
        "import time, pathlib;"
        f' pathlib.Path(r"{wine.path(place / "started")}").touch(); time.sleep(600)'
    )
    path = document(tmp_path, machine, code)
    python(machine, PLANTED, wine.path(place), wine.path(program), *run_arguments(path))
    end = time.monotonic() + SECONDS
    while list(place.glob("_MEI*")) and time.monotonic() < end:
        time.sleep(0.2)
    assert list(place.glob("_MEI*")) == []
    assert not (place / "planted.txt").exists()


KILLING_BOTH = """
    import os, subprocess, sys, time
    sys.path[:0] = sys.argv[1].split(";")
    from awstoe.host import kernel32_windows
    from awstoe.host.process.windows import job
    own, null = job.Job(), subprocess.DEVNULL
    process = subprocess.Popen(sys.argv[3:], stdin=subprocess.PIPE, stdout=null, stderr=null)
    own.take(kernel32_windows.open_process(process.pid, 0x0101))
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.05)
    own.close()
    process.wait()
    """


def test_a_later_start_removes_the_folder_of_killed_processes_and_no_other(
    machine: wine.Machine, program: Path, tmp_path: Path
) -> None:
    started, other = tmp_path / "started", None
    code = f'import time, pathlib; pathlib.Path(r"{wine.path(started)}").touch(); time.sleep(600)'
    path = document(tmp_path, machine, code)
    source = wine.path(Path(__file__).parents[2] / "src")
    python(
        machine,
        KILLING_BOTH,
        *(source, wine.path(started), wine.path(program), *run_arguments(path)),
    )
    (left,) = unpacked(machine)
    other = left.with_name("_MEI00001234deadbeef")  # of another one-file program: it has no mark
    other.mkdir()
    (other / "file").touch()
    in_use, go = tmp_path / "in-use", tmp_path / "go"
    wait = (
        "import os, time, pathlib;"
        f' pathlib.Path(r"{wine.path(in_use)}").touch();'
        f' [time.sleep(0.05) for _ in range(2000) if os.path.exists(r"{wine.path(left)}")'
        f' or not os.path.exists(r"{wine.path(go)}")]'
    )
    second = tmp_path / "second"
    second.mkdir()
    running = machine.start(wine.path(program), *run_arguments(document(second, machine, wait)))
    end = time.monotonic() + SECONDS
    while not in_use.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert left not in unpacked(machine)
    assert len(unpacked(machine)) == 2
    assert machine.run(wine.path(program), "--version").returncode == 0
    assert len(unpacked(machine)) == 2  # that of the running one, and the other program's
    go.touch()
    assert running.wait(timeout=SECONDS) == 0
    assert unpacked(machine) == [other]
    shutil.rmtree(other)


@pytest.mark.parametrize("where", ["current folder", "beside the program"])
def test_no_library_is_loaded_from_the_current_folder_or_from_beside_the_program(
    machine: wine.Machine, program: Path, tmp_path: Path, where: str
) -> None:
    """They are no libraries at all: the system says so on loading one."""
    folder = tmp_path / "current" if where == "current folder" else tmp_path
    folder.mkdir(exist_ok=True)
    names = ("vcruntime140", "vcruntime140_1", "version", "bcrypt", "cryptbase", "iphlpapi")
    for name in names:
        (folder / f"{name}.dll").write_bytes(FILE.read_bytes()[:4096])
    ended = machine.run(wine.path(program), "version", "--trust", folder=folder)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_unpack_folder_inherits_no_rights() -> None:
    """Checked in the file, because Wine does not store access lists."""
    text = FILE.read_bytes()
    assert "D:P(A;OICI;FA;;;%s)".encode("utf-16-le") in text
    assert "D:(A;".encode("utf-16-le") not in text
