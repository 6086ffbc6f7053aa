"""Which targets' programs run on a machine."""

import platform
from pathlib import Path

import pytest

from awstoe_release import runners

QEMU = "qemu is not registered in binfmt_misc"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(runners, "_KERNEL_KNOWS", f"{tmp_path}/")
    return tmp_path


@pytest.mark.parametrize(
    ("processor", "own", "foreign"),
    [("x86_64", "linux/amd64", "linux/arm64"), ("aarch64", "linux/arm64", "linux/386")],
)
def test_foreign_programs_are_tested_if_the_kernel_knows_their_emulator(
    kernel: Path, monkeypatch: pytest.MonkeyPatch, processor: str, own: str, foreign: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: processor)
    assert runners.own_target() == own
    assert runners.untestable(own) == ""
    assert runners.untestable(foreign) == QEMU
    (kernel / runners.emulator(foreign)[0].removesuffix("-static")).write_text("enabled")
    assert runners.untestable(foreign) == ""


def test_a_processor_without_a_target_has_no_own_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert runners.own_target() == ""
