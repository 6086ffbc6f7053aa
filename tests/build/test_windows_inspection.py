"""The inspection of executables for Windows: PE files and problems."""

from typing import Final

import pytest

from awstoe_build import version_info
from awstoe_build.failure import BuildFailure
from awstoe_build.inspection import pe
from awstoe_build.inspection.inspect import Report, inspect
from awstoe_build.targets import TARGETS
from fakes.frozen_files import frozen_file
from fakes.pe_files import MANIFEST, VERSION, pe_file

AMD64: Final = TARGETS["windows/amd64"]
PROGRAM: Final = {"awstoe.__main__": b"code"}
RESOURCES: Final = {VERSION: b"version", MANIFEST: version_info.MANIFEST.encode()}


def loader(**changes: bytes) -> bytes:
    """Return a bootloader with resources, some of which can be replaced."""
    kinds = {"version": VERSION, "manifest": MANIFEST}
    resources = {**RESOURCES, **{kinds[name]: content for name, content in changes.items()}}
    return pe_file(
        imports=["KERNEL32.dll"],
        resources={kind: content for kind, content in resources.items() if content},
    )


def report(files: dict[str, bytes], start: bytes = b"", **modules: bytes) -> Report:
    return inspect(
        frozen_file(start or loader(), files, {**PROGRAM, **modules}),
        AMD64,
        name="awstoe.exe",
        unwanted=["unittest", "_sqlite3"],
        wanted=["awstoe.__main__"],
        host_paths=["/home/me/awstoe"],
    )


def test_the_facts_of_a_pe_file_are_read() -> None:
    data = pe_file(
        imports=["KERNEL32.dll", "b.dll"],
        late_imports=["C.dll"],
        exports=["first", "second"],
        resources=RESOURCES,
        windows=(10, 0),
    )
    assert pe.read(data, "x") == pe.Pe(
        machine=pe.AMD64,
        windows=(10, 0),
        image_base=0x140000000,
        imports=("kernel32.dll", "b.dll", "c.dll"),
        exports=("first", "second"),
        has_version=True,
        manifest=version_info.MANIFEST,
    )


def test_a_pe_file_without_directories_is_read() -> None:
    result = pe.read(pe_file(), "x")
    assert (result.imports, result.exports, result.has_version, result.manifest) == (
        (),
        (),
        False,
        "",
    )


@pytest.mark.parametrize("size", [0, 2, 60, 64, 70, 100, 300, 400])
def test_a_truncated_pe_file_is_rejected(size: int) -> None:
    data = pe_file(imports=["a.dll"], resources=RESOURCES)[:size]
    with pytest.raises(BuildFailure, match="PE file"):
        pe.read(data, "x")


def test_a_32_bit_file_is_rejected() -> None:
    data = bytearray(pe_file())
    data[64 + 24] = 0x0B
    data[64 + 25] = 0x01
    with pytest.raises(BuildFailure, match="not a 64-bit file"):
        pe.read(bytes(data), "x")


def test_a_valid_executable_has_no_problems() -> None:
    result = report(
        {
            "python313.dll": pe_file(imports=["VCRUNTIME140.dll", "ADVAPI32.dll"]),
            "VCRUNTIME140.dll": pe_file(imports=["api-ms-win-crt-heap-l1-1-0.dll"]),
            "yaml\\_yaml.cp313-win_amd64.pyd": pe_file(imports=["python313.dll"]),
        }
    )
    assert result.problems == ()
    assert "4 PE files" in result.lines()[0]
    assert "needs Windows 6.0" in result.lines()[0]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.dll": pe_file(machine=0x14C)}, "a.dll is for another processor than 64-bit x86"),
        ({"a.dll": pe_file(windows=(10, 1))}, "a.dll needs Windows 10.1"),
        (
            {"p\\a.pyd": pe_file(imports=["msvcp140.dll"])},
            "p\\a.pyd needs msvcp140.dll, which is neither in the executable nor part of Windows",
        ),
        ({"_sqlite3.pyd": pe_file()}, "the executable contains the unwanted module _sqlite3"),
        (
            {"unittest\\fast.cp313-win_amd64.pyd": pe_file()},
            "the executable contains the unwanted module unittest.fast",
        ),
        (
            {"a.txt": b"/home/me/awstoe/x"},
            "a.txt contains the build machine's path /home/me/awstoe",
        ),
        (
            {"a.txt": b"Z:\\home\\me\\awstoe"},
            "a.txt contains the build machine's path /home/me/awstoe",
        ),
        (
            {"a.txt": "Z:\\home\\me\\awstoe".encode("utf-16-le")},
            "a.txt contains the build machine's path /home/me/awstoe",
        ),
    ],
)
def test_anything_that_would_not_run_elsewhere_is_a_problem(
    files: dict[str, bytes], problem: str
) -> None:
    (result,) = report(files).problems
    assert result.startswith(problem)


def test_a_file_without_version_or_manifest_is_a_problem() -> None:
    result = report({}, loader(version=b"", manifest=b"")).problems
    assert result[0] == "the executable has no version resource"
    assert [each.split(":")[0] for each in result[1:]] == [
        f"the manifest has no {word}"
        for word in ("longPathAware", "activeCodePage", "asInvoker", "supportedOS")
    ]


def test_a_damaged_library_stops_the_inspection() -> None:
    with pytest.raises(BuildFailure, match=r"a\.dll is a damaged PE file"):
        report({"a.dll": pe_file(imports=["b.dll"])[:300]})


def test_the_version_resource_is_complete() -> None:
    text = version_info.text("1.2.3", file="awstoe.exe")
    assert "filevers=(1, 2, 3, 0), prodvers=(1, 2, 3, 0)" in text
    for name, value in {
        "CompanyName": "the awstoe authors",
        "FileDescription": "Runs AWSTOE component documents",
        "FileVersion": "1.2.3",
        "OriginalFilename": "awstoe.exe",
        "ProductName": "awstoe",
        "ProductVersion": "1.2.3",
    }.items():
        assert f"StringStruct({name!r}, {value!r})" in text
    assert "StringTable('040904B0'" in text
    compile(text, "version", "eval")
