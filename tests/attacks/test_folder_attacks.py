"""Attacks of a user on a run of root's that uses folders of that user.

The user owns the folder above the run's own ones, so they may rename those and put theirs there.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import Ended, Json, Toe, action, bash, phases, wait_until

if sys.platform == "win32":
    pytest.skip("users cannot rename open folders there", allow_module_level=True)
if os.geteuid() != 0:
    pytest.skip("only root can be attacked by another user", allow_module_level=True)

ALICE = 65534
OWN = "root's own text\n"


class Victim:
    """Root's run in a folder of the attacker.

    Attributes:
        toe: The program; its working directory is the attacker's.
        home: The attacker's folder.
        secret: A folder that only root may change.
    """

    def __init__(self, toe: Toe) -> None:
        self.toe = toe
        self.home = toe.folder
        self.secret = toe.folder.parent / "secret"
        self.secret.mkdir(mode=0o755)
        (self.secret / "file").write_text(OWN)
        for folder in self.home.parents:
            if folder.name.startswith(("pytest-", "popen-", "folders")):
                folder.chmod(folder.stat().st_mode | 0o011)
        os.chown(self.home, ALICE, ALICE)

    def attack(self, script: str) -> None:
        """Run a script as the attacker, in their folder; $S is the folder of root's."""
        command = [
            *("setpriv", f"--reuid={ALICE}", f"--regid={ALICE}", "--clear-groups"),
            *("bash", "-ec", script),
        ]
        subprocess.run(
            command, cwd=self.home, env={**os.environ, "S": str(self.secret)}, check=True
        )

    def run_with_attack(self, attack: str, *arguments: str, steps: tuple[Json, ...] = ()) -> Ended:
        """Run a document in the middle of which the attacker acts."""
        waits = bash("Waits", "echo x > $BEGUN; until [ -e $GO ]; do sleep 0.01; done")
        begun, go = self.secret / "begun", self.secret / "go"
        self.toe.environment |= {"BEGUN": str(begun), "GO": str(go)}
        document = self.toe.document(
            phases=phases(build=[waits, bash("After", "echo after"), *steps])
        )
        started = self.toe.begin(self.toe.argv("-d", document, *arguments, state=False))
        wait_until(begun.exists)
        self.attack(attack)
        go.write_text("")
        return started.end()

    def assert_unharmed(self) -> None:
        begun_go = {"file", "begun", "go"}
        assert {path.name for path in self.secret.iterdir()} <= begun_go
        assert (self.secret / "file").read_text() == OWN


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    home = tmp_path / "alice"
    home.mkdir()
    toe = Toe(home)
    toe.environment["XDG_STATE_HOME"] = ""
    yield Victim(toe)
    toe.clean_up()


NAMES = (
    "detailedoutput.json .detailedoutput.json.tmp .chaining.json.tmp console.log application.log"
    " D0__doc.yml .D0__doc.yml.tmp run.json .run.json.tmp journal.jsonl lock"
)
PLANTED = f"for name in {NAMES}; do ln -s $S/file $F/$name; done"
PIPES = f"for name in {NAMES}; do mkfifo -m 666 $F/$name; done"
# What the attacker does when the run has its folder $F.
SWAPS = {
    "links in a folder of theirs": f"mv $F $F.moved; mkdir -m 777 $F; {PLANTED}",
    "pipes in a folder of theirs": f"mv $F $F.moved; mkdir -m 777 $F; {PIPES}",
    "a link to a folder of root's": "mv $F $F.moved; ln -s $S $F",
}
SWAPS_ABOVE = {
    "a link to a folder of root's": "mv lg moved; ln -s $S lg",
    "links in folders of theirs": f"mv lg moved; mkdir -m 777 -p $F; {PLANTED}",
    "a file": "mv lg moved; touch lg",
}


def assert_goes_on(victim: Victim, ended: Ended) -> None:
    victim.assert_unharmed()
    assert ended.exit_code == 0, ended.stderr
    assert ended.logs.stat().st_uid == 0
    assert ended.logs.stat().st_mode & 0o777 == 0o700
    assert ended.statuses == {"Waits": "success", "After": "success"}
    assert ended.messages[0] == "Setup: STARTED SETUP"
    assert "step 'Waits' in phase 'build'" in ended.stderr


@pytest.mark.parametrize("swap", SWAPS)
def test_swapped_log_folder(victim: Victim, swap: str) -> None:
    ended = victim.run_with_attack(
        f"F=$(echo TOE_*); {SWAPS[swap]}", "-s", str(victim.secret.parent / "st")
    )
    assert_goes_on(victim, ended)


@pytest.mark.parametrize("swap", SWAPS_ABOVE)
@pytest.mark.parametrize("before", ["mkdir lg", "true"])
def test_swapped_folder_above_the_log_folder(victim: Victim, swap: str, before: str) -> None:
    victim.attack(before)  # else root makes it
    ended = victim.run_with_attack(
        f"F=$(echo lg/TOE_*); {SWAPS_ABOVE[swap]}",
        *("-l", "lg", "-s", str(victim.secret.parent / "st")),
    )
    assert_goes_on(victim, ended)


@pytest.mark.parametrize("swap", SWAPS)
def test_swapped_state_folder(victim: Victim, swap: str) -> None:
    ended = victim.run_with_attack(
        f"F=st; {SWAPS[swap]}", "-l", str(victim.secret.parent / "logs"), "-s", "st"
    )
    assert_goes_on(victim, ended)
    assert "so the run cannot be resumed" in ended.stderr


@pytest.mark.parametrize("swap", [*SWAPS, "above"])
def test_log_folder_that_is_swapped_before_the_run_is_resumed(victim: Victim, swap: str) -> None:
    document = victim.toe.document(bash("Reboots", "[ -e $GO ] && exit; touch $GO; exit 194"))
    victim.toe.environment["GO"] = str(victim.secret / "go")
    arguments = ("-d", document, "-l", "lg", "-s", str(victim.secret.parent / "st"))
    (victim.home / "lg").mkdir()
    os.chown(victim.home / "lg", ALICE, ALICE)
    ended = victim.toe.run(*arguments, state=False)
    assert ended.exit_code == 194, ended.stderr
    theirs = "mv lg moved; ln -s $S lg" if swap == "above" else SWAPS[swap]
    (victim.secret / ended.logs.name).mkdir()  # so that a link above leads to a folder of root's
    victim.attack(f"F=$(echo lg/TOE_*); {theirs}")
    resumed = victim.toe.run(*arguments, state=False)
    assert list((victim.secret / ended.logs.name).iterdir()) == []
    (victim.secret / ended.logs.name).rmdir()
    victim.assert_unharmed()
    assert "Traceback" not in resumed.stderr
    if swap == "above":
        assert resumed.exit_code == 1
        assert "lg is a symbolic link of another user" in resumed.stderr
    else:
        assert resumed.exit_code == 0, resumed.stderr
        assert "cannot be used" in resumed.stderr


def test_state_folder_of_another_user(victim: Victim) -> None:
    """A forged journal would make root remove folders and end processes."""
    victim.attack("mkdir st; echo '{}' > st/run.json")
    document = victim.toe.document(bash("S", "true"))
    for more in ([], ["--resume"]):
        ended = victim.toe.run("-d", document, "-s", "st", *more, state=False)
        assert ended.exit_code == 1
        assert "belongs to another user" in ended.stderr
        assert "--state-directory" in ended.stderr or more


@pytest.mark.parametrize("name", ["lock", "run.json", "journal.jsonl"])
@pytest.mark.parametrize("planted", ["mkfifo -m 666 st/{}", "ln -s $S/file st/{}"])
def test_planted_files_in_an_open_state_folder(victim: Victim, name: str, planted: str) -> None:
    (victim.home / "st").mkdir()
    (victim.home / "st").chmod(0o777)
    victim.attack(planted.format(name))
    document = victim.toe.document(bash("S", "true"))
    ended = victim.toe.run("-d", document, "-s", "st", state=False)
    victim.assert_unharmed()
    assert ended.exit_code in (0, 1)
    resumed = victim.toe.run("-d", document, "-s", "st", "--resume", state=False)
    victim.assert_unharmed()
    assert "Traceback" not in ended.stderr + resumed.stderr


@pytest.mark.parametrize("mode", ["1777", "777", "700"])
def test_scripts_do_not_run_from_a_folder_that_others_can_swap(victim: Victim, mode: str) -> None:
    """Root would run what the attacker has put in the place of the script."""
    victim.attack(f"mkdir -m {mode} tmp")
    victim.toe.environment["TMPDIR"] = str(victim.home / "tmp")
    ended = victim.toe.run("-d", victim.toe.document(bash("S", "dirname $0")), state=False)
    assert ended.exit_code == 0, ended.stderr
    assert not ended.printed("S").startswith(str(victim.home))
    assert f"scripts are not kept in {victim.home}/tmp" in ended.stderr


@pytest.mark.parametrize("target", ["file", "new"])
@pytest.mark.parametrize("name", ["CreateFile", "CopyFile"])
def test_link_in_a_shared_folder(victim: Victim, target: str, name: str) -> None:
    (victim.home / "shared").mkdir()
    os.chown(victim.home / "shared", 0, 0)
    (victim.home / "shared").chmod(0o1777)
    victim.attack(f"ln -s $S/{target} shared/out")
    source = victim.toe.write("source", "evil")
    inputs: Json = {"path": "shared/out", "content": "evil"}
    if name == "CopyFile":
        inputs = {"source": str(source), "destination": "shared/out"}
    ended = victim.toe.run("-d", victim.toe.document(action("S", name, [inputs])), state=False)
    victim.assert_unharmed()
    assert ended.exit_code == 1
    assert "leads through a symbolic link of another user" in ended.stderr


# What root's step does to $P, and the name of the check.
CHANGES: dict[str, Json] = {
    "CreateFile": {"path": "$P", "content": "evil"},
    "AppendFile": {"path": "$P", "content": "evil"},
    "CopyFile": {"source": "source", "destination": "$P"},
    "SetFileEncoding": {"path": "$P", "encoding": "utf-16"},
    "SetFileOwner": {"path": "$P", "owner": str(ALICE), "group": str(ALICE)},
    "SetFilePermissions": {"path": "$P", "permissions": "0666"},
}
FOLDER_CHANGES: dict[str, Json] = {
    "SetFolderOwner": {"path": "$P", "owner": str(ALICE), "group": str(ALICE)},
    "SetFolderPermissions": {"path": "$P", "permissions": "0777"},
    "CreateFolder": {"path": "$P", "owner": str(ALICE)},
}


# What root's step does in the folder $P.
MOVES: dict[str, Json] = {
    "MoveFile": {"source": "source", "destination": "$P/file"},
    "CopyFolder": {"source": "folder", "destination": "$P"},
    "MoveFolder": {"source": "folder", "destination": "$P/new"},
    "CreateFolder": {"path": "$P/new"},
    "CreateSymlink": {"path": "$P/link", "target": "/etc"},
    "DeleteFile": {"path": "$P/file"},
    "DeleteFolder": {"path": "$P/empty", "force": True},
}
MOVES_AWAY: dict[str, Json] = {
    "MoveFile": {"source": "$P/file", "destination": "away"},
    "MoveFolder": {"source": "$P/empty", "destination": "away"},
    "DeleteFile": {"path": "$P/fil*"},
    "DeleteFolder": {"path": "$P/empty"},
}


@pytest.mark.parametrize(
    ("name", "inputs"), [*MOVES.items(), *MOVES_AWAY.items()], ids=lambda each: str(each)[:20]
)
def test_link_of_another_user_above_what_root_moves_makes_or_deletes(
    victim: Victim, name: str, inputs: dict[str, Json]
) -> None:
    victim.attack("ln -s $S out")
    (victim.secret / "empty").mkdir()
    victim.toe.write("source", "evil")
    (victim.home / "folder").mkdir()
    victim.toe.write("folder/file", "evil")
    given = {
        key: value.replace("$P", "out") if isinstance(value, str) else value
        for key, value in inputs.items()
    }
    ended = victim.toe.run("-d", victim.toe.document(action("S", name, [given])), state=False)
    (victim.secret / "empty").rmdir()
    victim.assert_unharmed()
    assert ended.exit_code == 1
    assert "leads through a symbolic link of another user" in ended.stderr


def change(victim: Victim, name: str, path: str, **more: Json) -> Ended:
    victim.toe.write("source", "evil")
    inputs = {**CHANGES, **FOLDER_CHANGES}[name] | more
    inputs = {key: path if value == "$P" else value for key, value in inputs.items()}
    return victim.toe.run("-d", victim.toe.document(action("S", name, [inputs])), state=False)


def owners_and_modes(victim: Victim) -> list[tuple[int, int]]:
    infos = [victim.secret.stat(), (victim.secret / "file").stat()]
    return [(info.st_uid, info.st_mode) for info in infos]


@pytest.mark.parametrize("link", ["ln -s $S/file shared/out", "ln -s $S shared/folder"])
@pytest.mark.parametrize("mode", [0o1777, 0o755])
@pytest.mark.parametrize("name", CHANGES)
def test_link_of_another_user_to_a_file_of_root_s(
    victim: Victim, name: str, mode: int, link: str
) -> None:
    (victim.home / "shared").mkdir()
    owner = 0 if mode & 0o1000 else ALICE
    os.chown(victim.home / "shared", owner, owner)
    (victim.home / "shared").chmod(mode)
    victim.attack(link)
    before = owners_and_modes(victim)
    ended = change(victim, name, "shared/out" if "out" in link else "shared/folder/file")
    victim.assert_unharmed()
    assert owners_and_modes(victim) == before
    assert ended.exit_code == 1
    assert "leads through a symbolic link of another user" in ended.stderr


@pytest.mark.parametrize("more", [{}, {"recursive": False}])
@pytest.mark.parametrize("name", FOLDER_CHANGES)
def test_link_of_another_user_to_a_folder_of_root_s(
    victim: Victim, name: str, more: dict[str, Json]
) -> None:
    victim.attack("ln -s $S out")
    before = owners_and_modes(victim)
    ended = change(victim, name, "out", **({} if name == "CreateFolder" else more))
    assert owners_and_modes(victim) == before
    assert ended.exit_code == 1
    assert "leads through a symbolic link of another user" in ended.stderr


@pytest.mark.parametrize("name", [*CHANGES, *FOLDER_CHANGES])
def test_link_of_another_user_to_what_is_theirs_is_followed(victim: Victim, name: str) -> None:
    target = "touch own" if name in CHANGES else "mkdir own"
    victim.attack(f"{target}; ln -s own out")
    ended = change(victim, name, "out")
    assert ended.exit_code == 0, ended.stderr
    assert (victim.home / "out").is_symlink()


def test_dangling_link_of_another_user_into_a_folder_of_root_s(victim: Victim) -> None:
    victim.attack("ln -s $S/new out")
    ended = change(victim, "CreateFile", "out")
    victim.assert_unharmed()
    assert ended.exit_code == 1


@pytest.mark.parametrize("target", ["/tmp", "/"])
def test_scripts_do_not_run_by_a_path_with_a_link_that_others_can_change(
    victim: Victim, target: str
) -> None:
    victim.attack(f"ln -s {target} link")
    victim.toe.environment["TMPDIR"] = str(victim.home / "link" / ("tmp" if target == "/" else ""))
    ended = victim.toe.run("-d", victim.toe.document(bash("S", "dirname $0")), state=False)
    assert ended.exit_code == 0, ended.stderr
    assert not ended.printed("S").startswith(str(victim.home))
    assert f"scripts are not kept in {victim.home}/link" in ended.stderr


def test_a_missing_temporary_folder_in_a_folder_of_another_user(victim: Victim) -> None:
    """The other user could make it just in time."""
    victim.toe.environment["TMPDIR"] = str(victim.home / "missing")
    ended = victim.toe.run("-d", victim.toe.document(bash("S", "dirname $0")), state=False)
    assert not (victim.home / "missing").exists()
    assert not ended.printed("S").startswith(str(victim.home))
