"""What other users, and killed processes, can do to the folder that an executable unpacks to."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe import __version__
from cli.running import alive, wait_until
from conformance.place import Place
from conformance.processes import children, is_stopped, leads_session
from subject import chosen

VERSION = f"awstoe {__version__}\n"
OTHER = 65533
"""A user who is not this one, and the number of that user's group."""
ATTEMPTS = 200
STARTS = 20

# Gives the other user rights to a folder by an access list: version 2, then tag, rights and number
# of its entries; the mask is the last but one.
ALLOW = f"""allow() {{ {sys.executable} -c '
import os, struct, sys
rights = int(sys.argv[2])
entries = (1, 7, -1), (2, rights, {OTHER}), (4, 0, -1), (16, rights, -1), (32, 0, -1)
packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) + packed)
' "$1" "$2" || exit 97; }}
"""
# A shell script that makes the folder $P, which TMPDIR names, and whether awstoe unpacks there.
PLACES = {
    "everybody, sticky": ("mkdir $P; chmod 1777 $P", True),
    "everybody": ("mkdir $P; chmod 0777 $P", False),
    "everybody in a parent": ("mkdir -p $P; chmod 0777 $P/..; chmod 0700 $P", False),
    "everybody, sticky, in a parent": ("mkdir -p $P; chmod 1777 $P/..; chmod 0700 $P", True),
    "this user": ("mkdir $P; chmod 0700 $P", True),
    "this user, others read": ("mkdir $P; chmod 0755 $P", True),
    "another group": (f"mkdir $P; chgrp {OTHER} $P; chmod 0770 $P", False),
    "another group, sticky": (f"mkdir $P; chgrp {OTHER} $P; chmod 1770 $P", True),
    "another user": (f"mkdir $P; chown {OTHER} $P; chmod 0755 $P", False),
    "another user, sticky": (f"mkdir $P; chown {OTHER} $P; chmod 1777 $P", False),
    "another user, in a parent": (f"mkdir -p $P; chown {OTHER} $P/..", False),
    "access list": ("mkdir $P; chmod 0700 $P; allow $P 7", False),
    "access list, read only": ("mkdir $P; chmod 0700 $P; allow $P 5", True),
    "link to this user": ("mkdir $P.real; chmod 0700 $P.real; ln -s $P.real $P", True),
    "link to everybody": ("mkdir $P.real; chmod 0777 $P.real; ln -s $P.real $P", False),
    "link in another user's folder": (
        f"mkdir $P.real $P.his; ln -s $P.real $P.his/link; chown {OTHER} $P.his;"
        " ln -s $P.his/link $P",
        True,
    ),
    "relative, with dots": ("mkdir -p $P/x; cd $P/x; P=../x", True),
}


@pytest.mark.parametrize("name", PLACES)
def test_awstoe_unpacks_only_where_no_other_user_can_replace_the_folder(
    place: Place, name: str
) -> None:
    script, used = PLACES[name]
    if "chown" in script or "chgrp" in script:
        needs_root()
    # With links resolved, because that is how the folder is named in the end.
    look = "tr '\\0' '\\n' < /proc/$PPID/environ | sed -n 's/^_PYI_APPLICATION_HOME_DIR=//p' > seen"
    run = " ".join(f"'{each}'" for each in place.arguments(f"cd {place.folder}", look))
    folder = place.folder / "outer" / "inner"
    folder.parent.mkdir()
    prepare = f"{ALLOW}P={folder}; {script} || exit 98; (cd $P && pwd -P) > {place.folder}/real"
    ended = place.call(["bash", "-c", f"{prepare}; export TMPDIR=$P; {run}"])
    if ended.exit_code == 97:
        pytest.skip(f"no access lists here: {ended.stderr}")
    assert ended.exit_code == 0, ended.stderr
    seen = Path(place.read("seen").strip()).parent
    assert (str(seen) == place.read("real").strip()) == used
    assert "WARNING" not in ended.stderr


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")


def test_the_message_says_why_folders_were_skipped(place: Place) -> None:
    """Where nothing else is writable, as in a container with a read-only root."""
    script = """
    mount --bind / / && mount -o remount,bind,ro / || exit 99
    mount -t tmpfs -o mode=777 none $T || exit 99
    for each in /tmp /var/tmp /var/lib/awstoe; do
        [ -w $each ] && { mount -t tmpfs -o mode=777 none $each || exit 99; }
    done
    $A --version"""
    file = chosen().file
    assert file is not None
    if str(place.folder).startswith("/tmp/") or str(file).startswith("/tmp/"):
        script = script.replace("/tmp /var/tmp", "/var/tmp")
        script = f"mount -o remount,mode=777 /tmp 2> /dev/null\n{script}"
    namespaces = ["unshare", "--mount", "--propagation", "private"]
    needs_root()
    ended = place.call(
        [*namespaces, "bash", "-c", f"T={place.temporary} A={file}\n{script}"], seconds=300
    )
    if ended.exit_code == 99 or ended.stdout:
        pytest.skip("another folder is writable here")
    assert ended.exit_code not in (0, 99)
    assert "make such a folder sticky (chmod +t)" in ended.stderr
    assert "Traceback" not in ended.stderr


def planted(place: Place, name: str) -> Path:
    """Return a folder with files of another user's choice, named as an unpack folder."""
    folder = place.folder / name
    folder.mkdir()
    (folder / "libpython3.13.so.1.0").write_text("no library")
    return folder


@pytest.mark.parametrize("fault", ["open", "parent", "owner", "link"])
def test_nothing_is_loaded_from_a_forged_unpack_folder(place: Place, fault: str) -> None:
    """The caller's environment may be another user's, as with ``sudo -E``."""
    folder = planted(place, f"_MEI{os.getpid():08x}abcdef")
    folder.chmod(0o755 if fault == "open" else 0o700)
    named = folder
    if fault == "parent":
        place.folder.chmod(0o777)
    elif fault == "owner":
        needs_root()
        os.chown(folder, OTHER, OTHER)
    elif fault == "link":
        named = place.folder / "other" / folder.name
        named.parent.mkdir()
        named.symlink_to(folder)
    place.environment |= {
        "_PYI_ARCHIVE_FILE": os.path.realpath(chosen().path),
        "_PYI_PARENT_PROCESS_LEVEL": "1",
        "_PYI_APPLICATION_HOME_DIR": str(named),
    }
    ended = place.call([*place.program, "--version"])
    assert ended.exit_code != 0
    assert ended.stdout == ""
    assert "nothing is loaded from" in ended.stderr
    assert "shared library" not in ended.stderr


def test_killing_the_guard_does_not_end_the_program(place: Place) -> None:
    for _ in range(ATTEMPTS):
        started = place.begin([*place.program, "--version"])
        bootloader = started.child.pid
        guards: list[int] = []
        while not guards and started.child.poll() is None and not has_program(bootloader):
            guards = [each for each in children(bootloader) if leads_session(each)]
        if guards and started.child.poll() is None:
            os.kill(bootloader, signal.SIGSTOP)
            wait_until(lambda: started.child.poll() is not None or is_stopped(bootloader))  # noqa: B023
            hit = guards[0] in children(bootloader) and alive(guards[0])
            if hit:
                os.kill(guards[0], signal.SIGKILL)
                wait_until(lambda: not alive(guards[0]))  # noqa: B023
            if started.child.poll() is None:
                os.kill(bootloader, signal.SIGCONT)
            assert started.end() == (0, VERSION, "")
            if hit:
                return
        else:
            assert started.end() == (0, VERSION, "")
    pytest.skip(f"the guard was never met in {ATTEMPTS} starts")


def test_a_program_whose_bootloader_is_killed_at_once_ends(place: Place) -> None:
    """It must not wait for ever for the bootloader to let it go on."""
    place.killed = True
    for _ in range(STARTS):
        started = place.begin([*place.program, "--version"])
        bootloader = started.child.pid
        programs: list[int] = []
        while not programs and started.child.poll() is None:
            programs = [each for each in children(bootloader) if not leads_session(each)]
        if started.child.poll() is None:
            os.kill(bootloader, signal.SIGKILL)
        started.child.communicate()  # the program has its standard streams too
        wait_until(lambda: not any(map(alive, programs)))  # noqa: B023
    # What a few of them leave is locked by nobody, so that a later start removes it.
    alone = f'[ "$(ls -d {place.temporary}/_MEI* | wc -l)" = 1 ]'
    ended = place.call(place.arguments(wait_in_step(alone)))
    assert ended.exit_code == 0, ended.stderr


def has_program(bootloader: int) -> bool:
    """Whether the bootloader has started its program: the guard has ended then."""
    return any(not leads_session(each) for each in children(bootloader))


def kill_all(place: Place) -> str:
    """Kill a running awstoe with all of its processes, and return the folder that it leaves."""
    started = place.begin(place.arguments("touch started", "sleep 600 & echo $! > pids; wait"))
    wait_until((place.folder / "pids").exists)
    wait_until(lambda: bool(place.pids()))
    processes = [started.child.pid, *children(started.child.pid), *place.pids()]
    for signal_number in (signal.SIGSTOP, signal.SIGKILL):  # nobody notices the others' end
        for pid in processes:
            os.kill(pid, signal_number)
    started.child.communicate()
    wait_until(lambda: not any(map(alive, processes)))
    (folder,) = place.unpacked()
    return folder


def wait_in_step(condition: str) -> str:
    return f"until {condition}; do sleep 0.05; done"


def test_a_later_start_removes_the_folder_of_killed_processes(place: Place) -> None:
    place.killed = True
    left = kill_all(place)
    assert (place.temporary / left / "libpython3.13.so.1.0").exists()
    gone = wait_in_step(f"! [ -e {place.temporary}/{left} ]")
    ended = place.call(place.arguments(gone, f"ls {place.temporary} | grep -c ^_MEI > seen"))
    assert (ended.exit_code, place.read("seen")) == (0, "1\n")
    assert place.unpacked() == []


def test_a_later_start_continues_with_a_folder_that_was_removed_in_part(place: Place) -> None:
    """The mark is removed last."""
    place.killed = True
    left = place.temporary / kill_all(place)
    for file in left.rglob("*.so*"):
        file.unlink()
    ended = place.call(place.arguments(wait_in_step(f"! [ -e {left} ]")))
    assert ended.exit_code == 0, ended.stderr


def test_a_folder_that_cannot_be_emptied_still_counts_as_abandoned(place: Place) -> None:
    needs_root()
    place.killed = True
    left = place.temporary / kill_all(place)
    (left / "his").mkdir()
    (left / "his" / "file").touch()
    os.chown(left / "his", OTHER, OTHER)
    gone = wait_in_step(f"! [ -e {left}/libpython3.13.so.1.0 ]")
    ended = place.call(place.arguments(gone))
    assert ended.exit_code == 0, ended.stderr
    assert sorted(each.name for each in left.iterdir()) == [".awstoe", "his"]
    shutil.rmtree(left / "his")
    ended = place.call(place.arguments(wait_in_step(f"! [ -e {left} ]")))
    assert ended.exit_code == 0, ended.stderr


def test_a_later_start_removes_nothing_else(place: Place) -> None:
    """Neither folders in use, nor those of other one-file programs, users and names, nor links."""
    place.killed = True
    mine, text = place.temporary, "precious"
    use = place.begin(place.arguments("touch started", wait_in_step("[ -e go ]")))
    wait_until((place.folder / "started").exists)
    (in_use,) = place.unpacked()
    for name in ("_MEI00000001abcdef", "_MEI00000002abcdef", "_MEI00000003abcdef", "other"):
        (mine / name).mkdir(mode=0o700)
        (mine / name / "file").write_text(text)
    for name in ("_MEI00000002abcdef", "_MEI00000003abcdef", "other"):
        (mine / name / ".awstoe").touch()
    (mine / "_MEI00000003abcdef").chmod(0o755)
    (place.folder / "target").mkdir(mode=0o700)
    (place.folder / "target" / ".awstoe").touch()
    (mine / "_MEI00000004abcdef").symlink_to(place.folder / "target")
    expected = ["_MEI00000001abcdef", "_MEI00000003abcdef", "_MEI00000004abcdef", in_use, "other"]
    if os.geteuid() == 0:
        shutil.copytree(mine / "_MEI00000002abcdef", mine / "_MEI00000005abcdef")
        os.chown(mine / "_MEI00000005abcdef", OTHER, OTHER)
        expected.append("_MEI00000005abcdef")
    # The one that is removed shows that all were looked at, if the order is that of the disk.
    gone = wait_in_step(f"! [ -e {mine}/_MEI00000002abcdef ]")
    document = place.bash(gone, "sleep 0.3", name="later.yml")
    later = ["run", "-d", document, "-l", str(place.folder / "later"), "-s", "later-state"]
    assert place.call([*place.program, *later]).exit_code == 0
    assert sorted(each for each in place.left() if not each.startswith("AWSTOE")) == sorted(
        expected
    )
    assert (place.folder / "target" / ".awstoe").exists()
    place.write("go", "")
    ended = use.end()
    assert ended.exit_code == 0, ended.stderr
    for path in mine.iterdir():
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


@pytest.mark.parametrize("mask", ["0000", "0777"])
def test_the_callers_mode_mask_does_not_matter_for_unpacking(place: Place, mask: str) -> None:
    command = f"umask {mask}; {' '.join(place.program)} --version"
    assert place.call(["bash", "-c", command]) == (0, VERSION, "")
    ended = place.call(["bash", "-c", f"umask 0007; {' '.join(place.arguments('umask > seen'))}"])
    assert (ended.exit_code, place.read("seen")) == (0, "0007\n")


def test_it_starts_with_all_standard_streams_closed(place: Place) -> None:
    own = "for each in 0 1 2; do readlink /proc/$PPID/fd/$each; done > seen; true"
    run = " ".join(f"'{each}'" for each in place.arguments(own))
    assert place.call(["bash", "-c", f"{run} <&- >&- 2>&-"]).exit_code == 0
    assert "_MEI" not in place.read("seen")


# Offsets from the end of the file: the cookie is there. Its fields: see PyInstaller's
# pyi_archive.h.
DAMAGES = {
    "length of the archive": (8, b"\xff\xff\xff\xff"),
    "place of the table": (12, b"\xff\xff\xff\xf0"),
    "length of the table": (16, b"\xff\xff\xff\xf0"),
    "empty table": (16, b"\0\0\0\0"),
    "name of the library": (24, b"x" * 64),
    "path of the library": (24, b"/tmp/lib\0"),
    "entry without length": (0, b"\0\0\0\0"),
    "entry that is too long": (0, b"\x7f\xff\xff\xff"),
    "content behind the end": (4, b"\xff\xff\xff\xf0"),
    "size of the content": (12, b"\0\0\0\x10"),
}


@pytest.mark.parametrize(("where", "new"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_reported_and_loads_nothing_beside_it(
    place: Place, request: pytest.FixtureRequest, where: int, new: bytes
) -> None:
    file = chosen().file
    assert file is not None
    data = bytearray(file.read_bytes())
    cookie = data.rindex(b"MEI\x0c\x0b\x0a\x0b\x0e")
    at = cookie + where
    if any(word in request.node.name for word in ("entry", "content")):
        size, table = (int.from_bytes(data[cookie + n : cookie + n + 4]) for n in (8, 12))
        at = cookie + 88 - size + table + where
    data[at : at + len(new)] = new
    own = place.folder / "awstoe"
    own.write_bytes(data)
    own.chmod(0o755)
    for folder in (place.folder, place.folder / "_internal"):
        folder.mkdir(exist_ok=True)
        (folder / "libpython3.13.so.1.0").write_text("planted")
    ended = place.call([str(own), "--version"])
    assert ended.exit_code > 0, ended
    assert ended.stdout == ""
    assert "damaged" in ended.stderr or "awstoe cannot unpack itself" in ended.stderr, ended.stderr
    assert "invalid ELF" not in ended.stderr
    assert place.left() == []


def test_other_users_cannot_look_into_a_running_program(place: Place) -> None:
    needs_root()
    started = place.begin(place.arguments("touch started", wait_in_step("[ -e go ]")))
    wait_until((place.folder / "started").exists)
    for pid in (started.child.pid, *children(started.child.pid)):
        for name in ("environ", "mem", "fd", "exe"):
            looked = subprocess.run(
                ["cat" if name in ("environ", "mem") else "ls", f"/proc/{pid}/{name}"],
                user=OTHER,
                group=OTHER,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            assert looked.returncode != 0 or name == "exe", name
    place.write("go", "")
    assert started.end().exit_code == 0
