"""The inspection of executables for Linux: ELF files, archives and problems."""

import struct
import sys
from pathlib import Path

import pytest

from awstoe_build.failure import BuildFailure
from awstoe_build.inspection import bundle, elf, linux
from awstoe_build.inspection.inspect import Report, inspect
from awstoe_build.targets import TARGETS
from fakes.frozen_files import frozen_file

AMD64 = TARGETS["linux/amd64"]


def elf_file(*versions: str, machine: int = 62, bits: int = 64) -> bytes:
    """Return an ELF file of three sections: the null section, the names, and the versions."""
    names = b"\0" + b"".join(version.encode() + b"\0" for version in versions)
    head = 64 if bits == 64 else 52
    need = struct.pack("<HHIII", 1, len(versions), 1, 16, 0)
    for position, version in enumerate(versions):
        after = 16 if position + 1 < len(versions) else 0
        need += struct.pack("<IHHII", 0, 0, 0, names.index(version.encode() + b"\0"), after)
    table = head + len(names) + len(need)
    layout = "<IIQQQQIIQQ" if bits == 64 else "<IIIIIIIIII"
    sections = (
        struct.pack(layout, *[0] * 10)
        + struct.pack(layout, 0, 3, 0, 0, head, len(names), 0, 0, 0, 0)
        + struct.pack(layout, 0, 0x6FFFFFFE, 0, 0, head + len(names), len(need), 1, 1, 0, 0)
    )
    size = struct.calcsize(layout)
    start = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    start += struct.pack("<HHI", 3, machine, 1)
    if bits == 64:
        start += struct.pack("<QQQIHHHHHH", 0, 0, table, 0, head, 0, 0, size, 3, 1)
    else:
        start += struct.pack("<IIIIHHHHHH", 0, 0, table, 0, head, 0, 0, size, 3, 1)
    return start + names + need + sections


def frozen(
    files: dict[str, bytes] | None = None,
    modules: dict[str, bytes] | None = None,
    *,
    loader: bytes | None = None,
) -> bytes:
    return frozen_file(elf_file("GLIBC_2.7") if loader is None else loader, files, modules)


def report(data: bytes, **changes: object) -> Report:
    settings: dict[str, object] = {
        "name": "awstoe",
        "unwanted": ["unittest"],
        "wanted": ["awstoe.__main__"],
        "host_paths": ["/home/me/awstoe"],
        **changes,
    }
    return inspect(data, AMD64, **settings)  # type: ignore[arg-type] # names and values as above


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        ([], (0, 0)),
        (["GLIBC_2.2.5"], (2, 2)),
        (["GLIBC_2.9", "GLIBC_2.17", "GLIBC_PRIVATE"], (2, 17)),
        (["GLIBC_2.17", "GLIBC_2.4"], (2, 17)),
        (["OPENSSL_3.0.0", "GLIBC_2.3"], (2, 3)),
    ],
)
def test_the_highest_required_glibc_is_found(
    bits: int, versions: list[str], highest: tuple[int, int]
) -> None:
    result = elf.read(elf_file(*versions, bits=bits), "x")
    assert result == elf.Elf(bits, 62, highest)


@pytest.mark.skipif(sys.platform != "linux", reason="reads a Linux program")
def test_a_program_of_this_machine_is_read() -> None:
    result = elf.read(Path("/bin/sh").read_bytes(), "/bin/sh")
    assert result.bits == struct.calcsize("P") * 8
    assert result.glibc > (2, 0)


def test_the_soname_of_a_library_is_read() -> None:
    libraries = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    (library,) = [Path(each) for each in libraries if each.endswith("/libc.so.6")]
    assert elf.read(library.read_bytes(), "libc").soname == "libc.so.6"


@pytest.mark.parametrize(
    ("soname", "problems"),
    [
        ("libone.so.1", []),
        ("libone.so", ["libone.so.1 has the soname libone.so, so it would not be found"]),
        ("", ["libone.so.1 has the soname (none), so it would not be found"]),
    ],
)
def test_a_library_must_have_the_soname_that_others_need(soname: str, problems: list[str]) -> None:
    facts = {
        "libone.so.1": elf.Elf(64, 62, (2, 17), ("libc.so.6",), soname),
        "module.so": elf.Elf(64, 62, (2, 17), ("libone.so.1",)),
    }
    assert linux.misnamed(facts) == problems


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(50)])
def test_a_file_that_is_not_an_elf_file_is_rejected(data: bytes) -> None:
    with pytest.raises(BuildFailure, match="ELF"):
        elf.read(data, "x")


def test_the_parts_of_an_archive_are_read() -> None:
    parts = bundle.read(frozen({"lib/a.so": b"abc"}, {"one.two": b"2", "one": b""}), "awstoe")
    assert parts.files == {"lib/a.so": b"abc"}
    assert parts.modules == {"one.two": b"2", "one": b""}
    assert parts.scripts == {"start": b"code"}


def test_a_file_without_an_archive_is_rejected() -> None:
    with pytest.raises(BuildFailure, match="not a frozen program"):
        report(elf_file())


def test_a_truncated_archive_is_rejected() -> None:
    data, start = frozen(), len(elf_file("GLIBC_2.7"))
    with pytest.raises(BuildFailure, match="damaged"):
        report(data[: start + 4] + data[start + 9 :])


def test_a_valid_executable_has_no_problems() -> None:
    data = frozen({"libpython3.13.so.1.0": elf_file("GLIBC_2.17")})
    result = report(data)
    assert result.problems == ()
    assert "needs GLIBC_2.17" in result.lines()[0]
    assert [each.name for each in result.binaries.all] == ["(bootloader)", "libpython3.13.so.1.0"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (frozen({"liba.so": elf_file("GLIBC_2.18")}), "liba.so needs GLIBC_2.18, newer than 2.17"),
        (frozen(loader=elf_file("GLIBC_2.34")), "(bootloader) needs GLIBC_2.34"),
        (frozen({"liba.so": elf_file(machine=183)}), "liba.so is for another processor"),
        (frozen({"liba.so": elf_file(bits=32)}), "liba.so is for another processor"),
        (frozen({"data": b"see /home/me/awstoe/x"}), "data contains the build machine's path"),
        (
            frozen(modules={"awstoe.__main__": b"/home/me/awstoe"}),
            "awstoe.__main__ contains the build machine's path",
        ),
        (
            frozen(modules={"awstoe.__main__": b"", "unittest.mock": b""}),
            "the executable contains the unwanted module unittest.mock",
        ),
        (
            frozen(modules={"awstoe.__main__": b"", "awstoe_build.freeze": b""}),
            "the executable contains the unwanted module awstoe_build.freeze",
        ),
        (frozen(modules={"other": b""}), "the module awstoe.__main__ is missing"),
    ],
)
def test_anything_that_would_not_run_elsewhere_is_a_problem(data: bytes, problem: str) -> None:
    (result,) = report(data).problems
    assert result.startswith(problem)


def test_an_unwanted_extension_module_is_a_problem() -> None:
    name = "python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so"
    result = report(frozen({name: elf_file()}), unwanted=["_ssl"])
    assert result.problems == ("the executable contains the unwanted module _ssl",)


def test_an_executable_above_its_budget_is_a_problem() -> None:
    result = inspect(
        frozen(),
        AMD64._replace(size_budget=100),
        name="awstoe",
        unwanted=[],
        wanted=[],
        host_paths=[],
    )
    assert "more than the budget of 100" in result.problems[0]
