"""Early and late unpacking: what the build decides, and what the frozen program does."""

import _imp
import atexit
import marshal
import os
import runpy
import shutil
import stat
import struct
import subprocess
import sys
import types
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from awstoe.errors import AwstoeError
from awstoe.host.executable import frozen
from awstoe_build import archive
from awstoe_build.archive import Entry, Late
from awstoe_build.inspection import bundle, elf

BUILD = Path(archive.__file__).parent
LIBRARY = ".cpython-313-x86_64-linux-gnu.so"


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """The layers of two interpreters, and a file outside of both."""
    for folder, triple in (("here", "x86_64"), ("there", "aarch64")):
        place = tmp_path / folder / "lib"
        place.mkdir(parents=True)
        (place / f"_ssl.cpython-313-{triple}-linux-gnu.so").touch()
    (tmp_path / "here" / "lib" / "only_here.so").touch()
    (tmp_path / "other.so").touch()
    return tmp_path


def counterparts(layers: Path) -> dict[str, str]:
    return {
        str(layers / "here"): str(layers / "there"),
        LIBRARY: ".cpython-313-aarch64-linux-gnu.so",
    }


def test_a_library_is_replaced_by_the_targets(layers: Path) -> None:
    found = [
        ("dynload/_ssl" + LIBRARY, str(layers / "here" / "lib" / f"_ssl{LIBRARY}"), "EXTENSION")
    ]
    assert archive.for_target(found, counterparts(layers)) == [
        (
            "dynload/_ssl.cpython-313-aarch64-linux-gnu.so",
            str(layers / "there" / "lib" / "_ssl.cpython-313-aarch64-linux-gnu.so"),
            "EXTENSION",
        )
    ]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("here/lib/only_here.so", "the counterpart of .* does not exist"),
        ("other.so", "is in no layer"),
    ],
)
def test_a_library_without_a_counterpart_stops_the_build(
    layers: Path, path: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        archive.for_target([("x", str(layers / path), "BINARY")], counterparts(layers))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so", "_ssl"),
        ("yaml/_yaml.cpython-313-i386-linux-gnu.so", "yaml._yaml"),
        ("cryptography/hazmat/bindings/_rust.abi3.so", "cryptography.hazmat.bindings._rust"),
        ("_cffi_backend.cpython-313-aarch64-linux-gnu.so", "_cffi_backend"),
    ],
)
def test_a_modules_name_is_derived_from_its_file(name: str, module: str) -> None:
    assert archive.module(name) == module


SSL = f"python3.13/lib-dynload/_ssl{LIBRARY}"
ENTRIES: list[Entry] = [
    ("libpython3.13.so.1.0", "/l/libpython", "BINARY"),
    ("libcrypto.so.3", "/l/libcrypto", "BINARY"),
    ("libssl.so.3", "/l/libssl", "BINARY"),
    (SSL, "/l/_ssl", "EXTENSION"),
    (f"python3.13/lib-dynload/zlib{LIBRARY}", "/l/zlib", "EXTENSION"),
    ("botocore/data/s3/1/service-2.json.gz", "/s/s3", "DATA"),
    ("botocore/data/endpoints.json", "/s/endpoints", "DATA"),
    ("awstoe/trust/release/root.json", "/s/root", "DATA"),
]
NEEDED = {
    "/l/_ssl": ("libssl.so.3", "libcrypto.so.3", "libc.so.6"),
    "/l/libssl": ("libcrypto.so.3", "libc.so.6"),
    "/l/libcrypto": ("libc.so.6",),
}


def split(entries: list[Entry]) -> tuple[list[Entry], Late]:
    return archive.split(
        entries,
        at_start=["libpython3.13.so.1.0", "zlib"],
        packages=["botocore", "awstoe", "awstoe.trust"],
        needed=lambda path: NEEDED.get(path, ()),
    )


def test_files_are_separated_by_when_they_are_needed() -> None:
    now, late = split(ENTRIES)
    assert [name for name, _, _ in now] == [ENTRIES[0][0], ENTRIES[4][0]]
    assert late.notes == {
        "_ssl": (SSL, ("libcrypto.so.3", "libssl.so.3", SSL)),
        "botocore": (
            "",
            ("botocore/data/endpoints.json", "botocore/data/s3/1/service-2.json.gz"),
        ),
        "awstoe.trust": ("", ("awstoe/trust/release/root.json",)),
    }


@pytest.mark.parametrize(
    "entry", [("libmagic.so.1", "/l/magic", "BINARY"), ("data.json", "/s/data", "DATA")]
)
def test_a_file_that_would_never_be_unpacked_stops_the_build(entry: Entry) -> None:
    with pytest.raises(ValueError, match="it would never be unpacked"):
        split([*ENTRIES, entry])


def test_a_file_that_is_unpacked_at_every_start_cannot_need_a_late_library() -> None:
    """Nothing would load it: the system does not search the unpack folder."""
    module = f"python3.13/lib-dynload/_hashlib{LIBRARY}"
    with pytest.raises(
        ValueError, match=r"_hashlib.* is unpacked at every start, but needs libcrypto"
    ):
        archive.split(
            [*ENTRIES, (module, "/l/libssl", "EXTENSION")],
            at_start=["libpython3.13.so.1.0", "zlib", "_hashlib"],
            packages=["botocore", "awstoe", "awstoe.trust"],
            needed=lambda path: NEEDED.get(path, ()),
        )


def modules_archive(path: Path) -> Path:
    """Write an archive with one module, in PyInstaller's format."""
    packed = zlib.compress(b"code")
    table = marshal.dumps([("one", (0, 16, len(packed)))])
    path.write_bytes(b"PYZ\0magc" + struct.pack("!i4x", 16 + len(packed)) + packed + table)
    return path


class Archive:
    """The parts of PyInstaller's archive reader that are used."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        (place,) = struct.unpack_from("!i", self.data, 8)
        self.toc = dict(marshal.loads(self.data[place:]))

    def extract(self, name: str) -> bytes:
        _, offset, length = self.toc[name]
        return zlib.decompress(self.data[offset : offset + length])


LOAD = _imp.create_dynamic
LATE = Late(
    entries=(("lib/one.so", "first", "BINARY"), ("two.so", "second", "EXTENSION")),
    notes={"two": ("two.so", ("lib/one.so", "two.so")), "three": ("", ("lib/one.so",))},
)


BASE = {"codecs.pyc": bytes(16) + b"codecs", "encodings/__init__.pyc": bytes(16) + b"encodings"}


@pytest.fixture
def base_library(tmp_path: Path) -> Path:
    path = tmp_path / "base_library.zip"
    with zipfile.ZipFile(path, "w") as library:
        for name in ("encodings/", "encodings/utf_8.pyc", "codecs.pyc"):
            library.writestr(name, b"" if name.endswith("/") else name)
    return path


def test_the_base_library_keeps_what_the_interpreter_loads_first(base_library: Path) -> None:
    assert archive.reduce_base_library(str(base_library), ["codecs.pyc"]) == {
        "codecs.pyc": b"codecs.pyc",
        "encodings/utf_8.pyc": b"encodings/utf_8.pyc",
    }
    with zipfile.ZipFile(base_library) as library:
        assert library.namelist() == ["codecs.pyc"]
        assert library.read("codecs.pyc") == b"codecs.pyc"


def test_a_base_library_without_a_required_module_stops_the_build(base_library: Path) -> None:
    with pytest.raises(KeyError, match=r"io\.pyc"):
        archive.reduce_base_library(str(base_library), ["io.pyc"])


def test_modules_of_the_base_library_are_added_to_the_archive(tmp_path: Path) -> None:
    path = modules_archive(tmp_path / "modules")
    archive.append(str(path), LATE, lambda origin: origin.encode(), BASE)
    made = Archive(path)
    kinds = {name: made.toc[name][0] for name in ("one", "codecs", "encodings", "late/two.so")}
    assert kinds == {"one": 0, "codecs": 0, "encodings": 1, "late/two.so": 2}
    assert made.extract("encodings") == b"encodings"


def test_late_files_are_added_to_the_archive(tmp_path: Path) -> None:
    path = modules_archive(tmp_path / "modules")
    archive.append(str(path), LATE, lambda origin: origin.encode(), BASE)
    made = Archive(path)
    assert made.extract("one") == b"code"
    assert made.extract("late/lib/one.so") == b"first"
    found = list(bundle._modules(path.read_bytes()))  # noqa: SLF001 - what the inspector reads
    assert ("one", False, b"code") in found
    assert ("late/two.so", True, b"second") in found


def test_a_file_that_is_not_an_archive_of_modules_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "modules"
    path.write_bytes(bytes(100))
    with pytest.raises(ValueError, match="not an archive of modules"):
        archive.append(str(path), LATE, lambda origin: origin.encode(), BASE)


UNPACKED = "_MEI00000001abcdef"
MARKS = [] if sys.platform == "win32" else [".awstoe"]
"""What a folder has that was made again."""


@pytest.fixture
def at_end(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """The functions that the frozen program registers to run at exit."""
    found: list[Callable[[], None]] = []

    def register(function: Callable[..., None], *arguments: object) -> None:
        found.append(lambda: function(*arguments))

    monkeypatch.setattr(atexit, "register", register)
    return found


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run late_loading.py in this process, and return the unpack folder."""
    path = modules_archive(tmp_path / "modules")
    archive.append(str(path), LATE, lambda origin: origin.encode(), BASE)
    importers = types.ModuleType("pyimod02_importers")
    importers.pyz_archive = Archive(path)  # type: ignore[attr-defined] # PyInstaller's name
    monkeypatch.setitem(sys.modules, "pyimod02_importers", importers)
    folder = tmp_path / UNPACKED
    folder.mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(folder), raising=False)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.setattr(
        _imp, "create_dynamic", lambda _: None
    )  # the unpacked files are not libraries
    runpy.run_path(str(BUILD / "inside" / "late_loading.py"))
    yield folder
    if folder.is_dir():
        folder.chmod(0o700)


def unpacked(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_a_module_is_unpacked_with_its_libraries_when_it_is_imported(running: Path) -> None:
    finder = sys.meta_path[0]
    assert finder.find_spec("other", None) is None
    assert unpacked(running) == []
    spec = finder.find_spec("two", None)
    assert spec is not None
    assert spec.origin == str(running / "two.so")
    assert unpacked(running) == ["lib/one.so", "two.so"]
    assert (running / "two.so").read_bytes() == b"second"
    assert stat.S_IMODE((running / "two.so").stat().st_mode) & 0o077 == 0


def test_libraries_are_loaded_before_the_module_that_needs_them(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(_imp, "create_dynamic", lambda spec: loaded.append(spec.origin))
    sys.meta_path[0].find_spec("two", None)
    assert loaded == [str(running / "lib/one.so")]


@pytest.mark.usefixtures("running")
def test_a_library_that_cannot_be_loaded_is_not_replaced_by_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_imp, "create_dynamic", LOAD)
    with pytest.raises(ImportError, match=r"one\.so"):
        sys.meta_path[0].find_spec("two", None)


def test_a_packages_data_is_unpacked_and_the_package_found_by_other_finders(running: Path) -> None:
    assert sys.meta_path[0].find_spec("three", None) is None
    assert unpacked(running) == ["lib/one.so"]


def test_a_file_that_exists_is_not_unpacked_again(running: Path) -> None:
    sys.meta_path[0].find_spec("three", None)
    before = (running / "lib" / "one.so").stat().st_mtime_ns
    sys.meta_path[0].find_spec("two", None)
    assert (running / "lib" / "one.so").stat().st_mtime_ns == before


def test_a_part_that_cannot_be_unpacked_is_an_error_with_a_hint(running: Path) -> None:
    (running / "lib").write_text("in the way")
    with pytest.raises(AwstoeError, match="cannot unpack a part of awstoe") as failure:
        sys.meta_path[0].find_spec("two", None)
    assert "TMPDIR" in str(failure.value.hint)


def test_a_file_that_was_removed_is_unpacked_again(running: Path) -> None:
    sys.meta_path[0].find_spec("three", None)
    shutil.rmtree(running)
    sys.meta_path[0].find_spec("two", None)
    assert unpacked(running) == [*MARKS, "lib/one.so", "two.so"]
    assert stat.S_IMODE(running.stat().st_mode) & 0o077 == 0
    shutil.rmtree(running / "lib")
    frozen.restore("three")
    assert unpacked(running) == [*MARKS, "lib/one.so", "two.so"]


@pytest.mark.skipif(sys.platform == "win32", reason="the folder cannot be removed there")
def test_a_folder_that_was_made_again_is_locked_and_has_the_mark(running: Path) -> None:
    shutil.rmtree(running)
    sys.meta_path[0].find_spec("two", None)
    look = f"flock --nonblock --exclusive {running} true"
    assert subprocess.run(["bash", "-c", look], check=False).returncode == 1
    assert (running / ".awstoe").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be changed there")
def test_a_folder_without_a_lock_has_no_mark(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would count as abandoned."""
    monkeypatch.delitem(sys.modules, "fcntl")
    shutil.rmtree(running)
    sys.meta_path[0].find_spec("two", None)
    assert unpacked(running) == ["lib/one.so", "two.so"]


@pytest.mark.skipif(sys.platform == "win32", reason="only this user can write there")
@pytest.mark.parametrize("change", ["chmod", "replace", "link"])
def test_a_file_that_was_changed_is_unpacked_again(running: Path, change: str) -> None:
    """A step may have let others write to the folder for a while."""
    sys.meta_path[0].find_spec("three", None)
    file = running / "lib" / "one.so"
    content = file.read_bytes()
    if change == "chmod":
        file.write_bytes(b"planted")
        file.chmod(0o755)
    else:
        other = running / "other"
        other.write_bytes(b"planted")
        file.unlink()
        other.rename(file) if change == "replace" else file.symlink_to(other)
    sys.meta_path[0].find_spec("two", None)
    assert not file.is_symlink()
    assert file.read_bytes() == content


def test_nothing_is_unpacked_into_a_folder_that_another_user_created(
    running: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = os.lstat(running)
    stranger = os.stat_result((*facts[:4], facts.st_uid + 1, *facts[5:]))
    monkeypatch.setattr(os, "lstat", lambda _: stranger)
    with pytest.raises(AwstoeError, match="something else has taken its place"):
        sys.meta_path[0].find_spec("two", None)
    assert unpacked(tmp_path) == ["modules"]


def to_a_link(folder: Path) -> None:
    folder.rename(folder.with_name("other"))
    folder.symlink_to("other")


def to_a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("mine")


@pytest.mark.parametrize(
    "change",
    [
        to_a_link,
        to_a_file,
        pytest.param(
            lambda folder: folder.chmod(0o777),
            id="to_one_for_all",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="it has no such bits"),
        ),
    ],
)
def test_a_folder_that_a_step_changed_is_not_used_any_more(
    running: Path, at_end: list[Callable[[], None]], change: Callable[[Path], None]
) -> None:
    change(running)
    spec = sys.meta_path[0].find_spec("two", None)
    assert spec is not None
    assert spec.origin is not None
    used = Path(spec.origin).parent
    assert used.parent == running.parent
    assert used.name.startswith(UNPACKED[:-6])
    assert len(used.name) == len(UNPACKED)  # so that a later start looks at it
    assert unpacked(used) == [*MARKS, "lib/one.so", "two.so"]
    assert not running.is_dir() or unpacked(running) == []
    with pytest.raises(AwstoeError, match="something else has taken its place"):
        frozen.restore("three")  # a package looks for its data in the old folder
    for call in at_end:
        call()
    assert not used.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="folders there have no such bits")
def test_a_folder_that_a_step_made_read_only_is_made_writable(running: Path) -> None:
    running.chmod(0o555)
    sys.meta_path[0].find_spec("two", None)
    assert unpacked(running) == ["lib/one.so", "two.so"]


def test_modules_are_only_imported_from_the_archive(tmp_path: Path) -> None:
    """Runs in another interpreter, because the code cannot be undone in this one."""
    (tmp_path / "planted.py").touch()
    code = f"""
import sys, types, encodings
importers = types.ModuleType("pyimod02_importers")
class PyiFrozenFinder:
    path_hook = print
importers.PyiFrozenFinder = PyiFrozenFinder
sys.modules["pyimod02_importers"] = importers
sys._MEIPASS = {str(tmp_path)!r}
sys.path[:] = ["base_library.zip", "python3.13/lib-dynload", sys._MEIPASS]
exec(open({str(BUILD / "inside" / "modules.py")!r}).read())
try:
    import planted
except (ImportError, TypeError):
    pass
assert "planted" not in sys.modules
assert encodings.__path__ == [sys._MEIPASS + {os.sep + "encodings"!r}], encodings.__path__
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [str(tmp_path)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads a Linux program")
def test_the_libraries_that_a_library_needs_are_read() -> None:
    assert "libc.so.6" in elf.read(Path("/bin/sh").read_bytes(), "/bin/sh").needed
    assert "libc.so.6" in archive.needed(os.path.realpath("/bin/sh"))
