"""Where an executable unpacks itself, and its messages if it cannot."""

import os
import shutil
from pathlib import Path

import pytest

from awstoe import __version__
from cli.running import Ended, action, bash
from conformance.place import Place
from subject import chosen

VERSION = f"awstoe {__version__}\n"
MESSAGE = "awstoe cannot unpack itself to"
# Loads OpenSSL, which nothing before it does.
HASH = action(
    "Hash", "Assert", {"fileMD5Equals": "d41d8cd98f00b204e9800998ecf8427e", "path": "text"}
)


def in_mounts(place: Place, script: str) -> Ended:
    """Run a script that may mount file systems, in a mount namespace of its own.

    ``$T`` is the temporary folder, ``$A`` the subject; ``small OPTIONS FOLDER`` mounts a file
    system into a folder. What is left in ``$T`` is listed on standard output in the end.
    """
    namespaces = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        namespaces += ["--user", "--map-root-user"]
    before = 'T=$TMPDIR A=$AWSTOE_FILE; small() { mount -t tmpfs -o "$1" none "$2" || exit 99; }\n'
    ended = place.call(
        [*namespaces, "bash", "-c", f"{before}{script}\ncode=$?; ls $T; exit $code"], seconds=300
    )
    if ended.exit_code == 99 or "unshare:" in ended.stderr:
        pytest.skip(f"this machine does not allow mounts: {ended.stderr.strip()}")
    return ended


def test_a_run_leaves_nothing_in_the_temporary_folder(place: Place) -> None:
    assert place.call([*place.program, "--version"]) == (0, VERSION, "")
    assert place.left() == []


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
def test_awstoe_unpacks_to_the_folder_in_the_environment(place: Place, name: str) -> None:
    own = place.folder / "own"
    own.mkdir()
    del place.environment["TMPDIR"]
    place.environment[name] = str(own)
    ended = place.call(place.arguments(f"ls {own} > seen"))
    assert ended.exit_code == 0, ended.stderr
    assert "_MEI" in place.read("seen")
    assert list(own.iterdir()) == []


@pytest.mark.parametrize("value", ["/no/such/folder", "", "relative", "/dev/null"])
def test_an_invalid_temporary_folder_is_skipped(place: Place, value: str) -> None:
    place.environment["TMPDIR"] = value
    ended = place.call([*place.program, "--version"])
    assert (ended.exit_code, ended.stdout) == (0, VERSION)


def test_folders_mounted_noexec_are_skipped(place: Place) -> None:
    script = 'small noexec $T; small noexec /tmp; small noexec /var/tmp; "$A" --version'
    ended = in_mounts(place, script.replace("small noexec /tmp; ", keep_in_reach(place)))
    assert ended == (0, VERSION, "")


def keep_in_reach(place: Place) -> str:
    """Return the command that mounts over /tmp, unless the subject or the place is below it."""
    inside = [str(place.folder), str(chosen().file)]
    return "" if any(each.startswith("/tmp/") for each in inside) else "small noexec /tmp; "


def test_a_run_works_with_a_temporary_folder_mounted_noexec(place: Place) -> None:
    arguments = " ".join(f"'{each}'" for each in place.arguments("touch ran"))
    ended = in_mounts(place, f"small noexec $T; {arguments}")
    assert ended.exit_code == 0, ended.stderr
    assert (place.folder / "ran").exists()


@pytest.mark.parametrize("size", ["4k", "100k", "3m"])
def test_a_full_folder_is_reported_and_left_empty(place: Place, size: str) -> None:
    ended = in_mounts(place, f'small size={size} $T; "$A" --version')
    assert ended.exit_code not in (0, 99)
    assert ended.stdout == ""
    assert MESSAGE in ended.stderr
    assert "TMPDIR" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_without_free_inodes_is_reported_and_left_empty(place: Place) -> None:
    ended = in_mounts(place, 'small nr_inodes=4 $T; "$A" --version')
    assert ended.exit_code not in (0, 99)
    assert ended.stdout == ""
    assert MESSAGE in ended.stderr


def test_a_read_only_system_with_one_small_writable_folder_is_enough(place: Place) -> None:
    """The folder contains the unpacked files, the logs and the state."""
    document = place.bash("echo it ran")
    script = f"""
    mount --bind / / && mount -o remount,bind,ro / || exit 99
    small size=64m $T
    if touch {place.folder}/x 2> /dev/null; then exit 98; fi
    "$A" run -d {document} -l $T/logs -s $T/state --quiet
    code=$?; rm -r $T/logs $T/state; (exit $code)"""
    ended = in_mounts(place, script)
    assert ended.exit_code == 0, ended
    assert '"status": "success"' in ended.stdout
    assert ended.stdout.rstrip().endswith("}")  # nothing is left in the folder


def test_many_starts_at_once_do_not_disturb_each_other(place: Place) -> None:
    started = [place.begin([*place.program, "--version"]) for _ in range(50)]
    assert [each.end(120 * chosen().patience) for each in started] == [(0, VERSION, "")] * 50
    assert place.left() == []


def test_many_starts_in_a_small_folder_run_or_report_why_not(place: Place) -> None:
    """256 MB are too small for fifty at once. Each either runs completely or reports the reason."""
    script = """
    small size=256m $T
    printf 'schemaVersion: 1.0\\nphases: [{name: build, steps: [{name: S, action: ExecuteBash,
      inputs: {commands: ["sleep 2"]}}]}]\\n' > document.yml
    for n in $(seq 50); do
        { "$A" run -d document.yml -l logs-$n -s state-$n > out-$n 2> err-$n; echo $? > code-$n; } &
    done
    wait"""
    ended = in_mounts(place, script)
    assert (ended.exit_code, ended.stdout) == (0, ""), ended  # nothing is left in the folder
    ran = 0
    for number in range(1, 51):
        code, out, err = (place.read(f"{name}-{number}") for name in ("code", "out", "err"))
        if code == "0\n":
            assert '"status": "success"' in out
            ran += 1
        else:
            # No space to unpack, to unpack a part later, or for the step's script.
            assert MESSAGE in err or "No space left on device" in err, err
            assert "Traceback" not in err
            assert "bug" not in err
    assert ran > 0


def test_a_limit_on_file_size_is_reported(place: Place) -> None:
    ended = place.call(["bash", "-c", 'ulimit -f 100; "$AWSTOE_FILE" --version'])
    assert ended.exit_code not in (0, -25, 153)
    assert MESSAGE in ended.stderr
    assert place.left() == []


def test_a_limit_on_memory_is_reported(place: Place) -> None:
    ended = place.call(["bash", "-c", 'ulimit -v 30000; "$AWSTOE_FILE" --version'])
    assert ended.stdout == VERSION or ended.stderr
    assert place.left() == []


def test_a_truncated_file_is_reported(place: Place) -> None:
    file = chosen().file
    assert file is not None
    cut = place.folder / "awstoe"
    data = file.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    cut.chmod(0o755)
    # Through a shell, because the kernel may not accept it as a program.
    ended = place.call(["bash", "-c", f"{cut} --version"])
    assert ended.exit_code != 0
    assert ended.stdout == ""
    assert ended.stderr
    assert place.left() == []


def test_an_unprivileged_user_without_a_home_can_run_it(place: Place) -> None:
    document = place.bash("id -u > seen")
    file = chosen().file
    assert file is not None
    shutil.copy2(file, place.folder / "awstoe")  # other users may not be able to read its folder
    place.program = (str(place.folder / "awstoe"),)
    if os.geteuid() == 0:
        place.become_nobody()
    place.environment = {"TMPDIR": str(place.temporary), "PATH": os.environ["PATH"]}
    ended = place.run("-d", document)
    assert ended.exit_code == 0, ended.stderr
    assert place.read("seen").strip() != "0" or os.geteuid() != 0


def test_awstoe_runs_from_a_read_only_folder(place: Place) -> None:
    file = chosen().file
    assert file is not None
    folder = place.folder / "fixed"
    folder.mkdir()
    own = folder / "awstoe"
    shutil.copy2(file, own)
    own.chmod(0o555)
    folder.chmod(0o555)
    assert place.call([str(own), "--version"]) == (0, VERSION, "")
    assert [each.name for each in Path(folder).iterdir()] == ["awstoe"]
    folder.chmod(0o755)


def test_other_users_cannot_read_the_unpacked_files(place: Place) -> None:
    ended = place.call(place.arguments("stat -c '%a %u' $TMPDIR/_MEI* > seen"))
    assert ended.exit_code == 0, ended.stderr
    assert place.read("seen").split() == ["700", str(os.geteuid())]


def test_there_are_no_links_among_the_unpacked_files(place: Place) -> None:
    """Not every file system supports links."""
    place.write("text", "")
    look = bash("Look", "cd $TMPDIR/_MEI*; find . -type f | wc -l; find . ! -type f ! -type d")
    ended = place.steps(HASH, look)
    assert ended.exit_code == 0, ended.stderr
    count, *others = ended.printed("Look").split()
    assert int(count) > 10
    assert others == []


def test_files_that_a_step_removed_are_unpacked_again_when_needed(place: Place) -> None:
    place.write("text", "")
    ended = place.steps(
        bash("Remove", "rm -rf $TMPDIR/*"),
        HASH,
        bash("Look", "stat -c '%a %u' $TMPDIR/_MEI*; ls $TMPDIR/_MEI*"),
    )
    assert ended.exit_code == 0, ended.stderr
    mode, owner, *names = ended.printed("Look").split()
    assert (mode, owner) == ("700", str(os.geteuid()))
    assert "libcrypto.so.3" in names
    assert "libpython3.13.so.1.0" not in names
    assert "WARNING" not in ended.stderr


def test_nothing_is_loaded_from_a_folder_that_replaced_the_unpack_folder(place: Place) -> None:
    """Another user may have waited for the folder to be removed."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a link to another user")
    (place.folder / "planted").mkdir()
    place.write("text", "")
    plant = "set -- $TMPDIR/_MEI*; rm -r $1; ln -s $PWD/planted $1; chown -h 65533 $1; echo $1"
    ended = place.steps(
        bash("Plant", plant),
        {**HASH, "onFailure": "Ignore"},
        bash("Look", "ls planted; rm $TMPDIR/_MEI*"),
    )
    assert ended.exit_code == 0, ended.stderr
    folder = ended.printed("Plant")
    assert ended.steps["Hash"]["failureMessage"].startswith(
        f"cannot unpack a part of awstoe to {folder}: something else has taken its place"
    ), ended.steps["Hash"]
    assert ended.printed("Look") == ""


def test_a_step_that_moved_the_unpack_folder_does_not_stop_the_run(place: Place) -> None:
    place.write("text", "")
    ended = place.steps(
        bash("Move", "set -- $TMPDIR/_MEI*; mv $1 moved; ln -s $PWD/moved $1"),
        HASH,
        bash("Look", "ls -A -d $TMPDIR/_MEI*/.awstoe | wc -l; rm -r moved; find $TMPDIR -type l"),
    )
    assert ended.exit_code == 0, ended.stderr
    count, link = ended.printed("Look").split()
    assert count == "2"  # the moved one, through the link, and the new one
    assert place.unpacked() == [os.path.basename(link)]
    os.unlink(link)


def test_the_system_does_not_search_the_unpack_folder_for_libraries(place: Place) -> None:
    """Another user may have put one there after a step removed the folder."""
    place.environment["LD_LIBRARY_PATH"] = "/opt/mine"
    own = bash("Own", "tr '\\0' '\\n' < /proc/$PPID/environ | grep ^LD_LIBRARY")
    ended = place.steps(own)
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Own") == "LD_LIBRARY_PATH=/opt/mine"


def test_its_own_libraries_are_used_regardless_of_the_callers_library_path(place: Place) -> None:
    place.write("text", "")
    look = bash("Look", "cd $TMPDIR/_MEI*; ls lib*")
    ended = place.steps(HASH, look)
    assert ended.exit_code == 0, ended.stderr
    libraries = ended.printed("Look").split()
    assert "libcrypto.so.3" in libraries
    for name in (*libraries, "libssl.so.3"):
        place.write(f"planted/{name}", "no library")
    place.environment["LD_LIBRARY_PATH"] = str(place.folder / "planted")
    ended = place.steps(HASH)
    assert ended.exit_code == 0, ended.stderr
    # This loads cryptography, which needs both.
    ended = place.call([*place.program, "version", "--trust", "--json"])
    assert ended.exit_code == 0, ended.stderr


def test_a_link_that_replaced_the_unpack_folder_is_not_followed_at_the_end(place: Place) -> None:
    place.write("elsewhere/precious", "kept")
    plant = "set -- $TMPDIR/_MEI*; rm -r $1; ln -s $PWD/elsewhere $1"
    ended = place.steps(bash("Plant", plant))
    assert ended.exit_code == 0, ended.stderr
    assert place.read("elsewhere/precious") == "kept"
    (link,) = place.temporary.glob("_MEI*")
    link.unlink()
