"""The architecture that the program was built for, on any kernel."""

import pytest

from awstoe.host.platforms import architecture


@pytest.mark.parametrize(
    ("machine", "bits", "expected"),
    [
        ("x86_64", 64, "amd64"),
        ("x86_64", 32, "386"),
        ("i686", 32, "386"),
        ("aarch64", 64, "arm64"),
        ("AMD64", 64, "amd64"),
        ("riscv64", 64, "riscv64"),
    ],
)
def test_architecture_is_that_of_the_program(machine: str, bits: int, expected: str) -> None:
    assert architecture(machine, pointer_bits=bits) == expected
