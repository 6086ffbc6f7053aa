"""Programs that the subject starts get the caller's environment and nothing else."""

import os
import sys
from pathlib import Path

import pytest

from conformance.place import Place
from subject import chosen

# bash sets these for every program that it starts.
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


def environment_of_a_step(place: Place) -> dict[bytes, bytes]:
    """Return the environment of a step's program."""
    ended = place.call(place.arguments("cat /proc/self/environ > seen"))
    assert ended.exit_code == 0, ended.stderr
    entries = Path(place.folder / "seen").read_bytes().rstrip(b"\0").split(b"\0")
    return dict(entry.split(b"=", 1) for entry in entries)


def environment_of_the_caller(place: Place) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(text) for name, text in place.environment.items()}


def of_the_caller(seen: dict[bytes, bytes], place: Place) -> dict[bytes, bytes]:
    """Return what a step's program has seen, without what its shell has added."""
    added = {os.fsencode(name) for name in OF_THE_SHELL - place.environment.keys()}
    return {name: text for name, text in seen.items() if name not in added}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"LD_LIBRARY_PATH": "/opt/mine:/opt/yours", "LD_LIBRARY_PATH_ORIG": "/opt/old"},
        {"LD_LIBRARY_PATH": ""},
        {"LD_LIBRARY_PATH": "/opt/mine:", "PYTHONPATH": "/a", "PYTHONHASHSEED": "1", "EMPTY": ""},
        {
            "ODD": "line\nbreak =",
            "UMLAUT": "ü",
            "BYTES": b"\xff\xfe".decode(errors="surrogateescape"),
        },
        {"LD_PRELOAD": "", "GCONV_PATH": "/none", "LC_ALL": "POSIX", "LANGUAGE": "xx"},
        {"SSL_CERT_FILE": "/etc/mine.pem", "OPENSSL_CONF": "/etc/mine.cnf", "XDG_DATA_DIRS": "/x"},
    ],
    ids=lambda more: "+".join(more) or "nothing more",
)
def test_a_program_gets_the_callers_environment_byte_for_byte(
    place: Place, more: dict[str, str]
) -> None:
    place.environment |= more
    assert of_the_caller(environment_of_a_step(place), place) == environment_of_the_caller(place)


@pytest.mark.parametrize(
    "locale",
    [
        {},
        {"LANG": "C"},
        {"LANG": "POSIX", "LC_CTYPE": "", "LC_ALL": ""},
        {"LC_CTYPE": "C"},
        {"LC_CTYPE": "POSIX", "LANG": "de_DE.UTF-8"},
        {"LC_CTYPE": "C.UTF-8"},
        {"LC_CTYPE": "no such locale"},
        {"LANG": "C", "PYTHONCOERCECLOCALE": "1", "PYTHONUTF8": "0"},
    ],
    ids=lambda locale: "+".join(f"{name}={value}" for name, value in locale.items()) or "none",
)
def test_a_program_gets_the_callers_locale(place: Place, locale: dict[str, str]) -> None:
    del place.environment["LC_ALL"]
    place.environment |= locale
    assert of_the_caller(environment_of_a_step(place), place) == environment_of_the_caller(place)


def test_a_reference_has_the_callers_locale(place: Place) -> None:
    del place.environment["LC_ALL"]
    place.environment |= {"LC_CTYPE": "POSIX"}
    ended = place.call(place.arguments("echo '{{ env:LC_CTYPE }}' > seen"))
    assert ended.exit_code == 0, ended.stderr
    assert place.read("seen") == "POSIX\n"


@pytest.mark.skipif(not chosen().frozen, reason="an interpreter has no bootloader")
@pytest.mark.parametrize(
    "forged",
    [
        {"_PYI_APPLICATION_HOME_DIR": "/tmp", "_PYI_PARENT_PROCESS_LEVEL": "1"},
        {"_PYI_ARCHIVE_FILE": "/bin/true"},
        {"_MEIPASS2": "/tmp"},
        {"PYINSTALLER_RESET_ENVIRONMENT": "1"},
    ],
    ids="+".join,
)
def test_variables_of_a_bootloader_have_no_effect_and_do_not_reach_a_program(
    place: Place, forged: dict[str, str]
) -> None:
    place.environment |= forged
    environment = environment_of_a_step(place)
    assert not environment.keys() & {name.encode() for name in forged}


def test_a_program_gets_only_the_standard_descriptors(place: Place) -> None:
    ended = place.call(place.arguments("ls -l /proc/self/fd > seen"))
    assert ended.exit_code == 0, ended.stderr
    seen = place.read("seen")
    assert "_MEI" not in seen
    assert str(chosen().file or sys.executable) not in seen
    links = [line.split()[-3:] for line in seen.splitlines()[1:]]
    # ls itself has the folder open.
    assert [number for number, _, target in links if "/proc/" not in target] == ["0", "1", "2"]


def test_a_program_gets_the_callers_signal_masks(place: Place) -> None:
    ended = place.call(place.arguments("grep -E 'Sig(Blk|Ign)' /proc/self/status > seen"))
    assert ended.exit_code == 0, ended.stderr
    masks = dict(line.split(":\t") for line in place.read("seen").splitlines())
    mine = dict(
        line.split(":\t")
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(("SigBlk", "SigIgn"))
    )
    ours = int(mine["SigIgn"], 16) & ~(1 << 12) & ~(1 << 24)  # Python ignores SIGPIPE and SIGXFSZ
    assert int(masks["SigIgn"], 16) & ~(1 << 12) & ~(1 << 24) == ours
    assert int(masks["SigBlk"], 16) == 0
