"""Attacks on the program and its signature on their way from the publisher to the machine."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from awstoe.host.network.deadline import Timeouts
from awstoe.update.install_record import InstallStep
from fakes import release_server as tricks
from fakes.installation import finished
from fakes.releases import DAY, openpgp_key, shell_program
from fakes.scene import Scene

PATH = "1.1.0/linux/amd64/awstoe"


def test_arbitrary_file(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    evil = b"#!/bin/sh\ntouch /tmp/owned\n".ljust(len(new), b"#")
    scene.server.tricks[f"*/{PATH}"] = tricks.replaced(evil)
    assert f"{PATH} is not the file that the metadata describes" in scene.refused()


def test_artifact_of_other_platform(scene: Scene) -> None:
    scene.publisher.publish(
        scene.publisher.file("1.1.0"),
        scene.publisher.file(
            "1.1.0", shell_program("1.1.0", body=": arm"), target=("linux", "arm64")
        ),
    )
    arm = (scene.publisher.folder / "1.1.0/linux/arm64/awstoe").read_bytes()
    scene.server.tricks[f"*/{PATH}"] = tricks.replaced(arm)
    assert "is not the file that the metadata describes" in scene.refused()


def test_artifact_of_other_version(scene: Scene) -> None:
    """The right file under a wrong name: the previous version, with a valid signature."""
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}"] = tricks.replaced(scene.old)
    own = (scene.publisher.folder / "1.0.0/linux/amd64/awstoe.sig").read_bytes()
    scene.server.tricks[f"*/{PATH}.sig"] = tricks.replaced(own)
    assert "is not the file that the metadata describes" in scene.refused()


def test_renamed_artifact(scene: Scene) -> None:
    """The metadata, correctly signed, lists another program under this name."""
    scene.publisher.add("1.1.0", shell_program("0.9.0"))
    assert "calls itself 'awstoe 0.9.0', expected 'awstoe 1.1.0'" in scene.refused(code=8)


def test_endless_artifact(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}"] = tricks.endless(new)
    assert f"more than {len(new)} bytes" in scene.refused()


def test_endless_signature(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}.sig"] = tricks.endless()
    assert "more than 65536 bytes" in scene.refused()


def test_slow_artifact(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awstoe.limits.UPDATE_ATTEMPTS", 1)
    scene.installation.timeouts = Timeouts(connect=60, idle=60, total=1)
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}"] = tricks.drip(
        b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n"
    )
    attempt = scene.update("--url", scene.server.url + "us-east-2/")
    assert attempt.code == 4
    assert "the response was not complete after" in attempt.stderr
    assert scene.installation.path.read_bytes() == scene.old


def test_redirect_of_the_artifact_to_another_host(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}"] = tricks.redirect("http://127.0.0.1:9/evil")
    attempt = scene.update("--url", scene.server.url + "us-east-2/")
    assert attempt.code == 4
    assert "redirects to another host (http://127.0.0.1:9)" in attempt.stderr
    assert scene.installation.path.read_bytes() == scene.old


def test_bad_mirror_of_the_artifact_then_good(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    scene.server.tricks[f"us-east-2/{PATH}"] = tricks.replaced(bytes(len(new)))
    scene.updates_to("1.1.0")
    assert (f"us-east-1/{PATH}", "") in scene.server.requests
    assert scene.installation.path.read_bytes() == new


def test_missing_signature(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}.sig"] = tricks.status(404)
    assert f"{PATH}.sig does not exist, although the metadata lists it" in scene.refused(code=4)


def test_signature_by_a_wrong_key(scene: Scene) -> None:
    """The metadata's keys were stolen, but not the signing key of programs."""
    new = shell_program("1.1.0")
    scene.publisher.add("1.1.0", new, signature=scene.keys.stranger.sign(new))
    message = scene.refused()
    assert "the signature is not valid: no trusted key made it" in message


def test_signature_of_another_file(scene: Scene) -> None:
    scene.publisher.add("1.1.0", signature=scene.keys.current.sign(b"something else"))
    assert "the file is not what was signed" in scene.refused()


def test_malformed_signature(scene: Scene) -> None:
    for number, data in enumerate((b"", b"no signature", bytes(600), b"\x89\x02\x33"), 1):
        scene.publisher.add(f"1.1.{number}", signature=data)
        assert "the signature is not valid" in scene.refused()


def test_trailing_garbage_after_signature(scene: Scene) -> None:
    new = shell_program("1.1.0")
    scene.publisher.add("1.1.0", new, signature=scene.keys.current.sign(new) + b"\0garbage")
    assert "the signature is not valid" in scene.refused()


def test_sha1_signature(scene: Scene) -> None:
    """The octet with the hash number is changed to SHA-1."""
    new = shell_program("1.1.0")
    signature = bytearray(scene.keys.current.sign(new))
    body = 3 if signature[0] & 0x40 == 0 else 2 if signature[1] < 192 else 3
    assert signature[body : body + 4] == b"\x04\x00\x01\x0a"
    signature[body + 3] = 2
    scene.publisher.add("1.1.0", new, signature=bytes(signature))
    assert "SHA-1" in scene.refused()


def test_revoked_key(scene: Scene) -> None:
    """The publisher's machine was taken over; the installed program knows that it was revoked."""
    scene.publisher.add("1.1.0")
    current, following = scene.keys.current.fingerprint, scene.keys.next.fingerprint
    scene.installation.trust = scene.publisher.write_trust(
        scene.folder / "newer-trust",
        scene.server.url + "{region}/",
        states={current: "revoked", following: "current"},
    )
    assert "is revoked" in scene.refused()


def test_next_key_accepted(scene: Scene) -> None:
    new = shell_program("1.1.0")
    scene.publisher.add("1.1.0", new, signature=scene.keys.next.sign(new))
    scene.updates_to("1.1.0")


def test_expired_key_old_release_still_verifies(scene: Scene) -> None:
    """What a key signed before it expired stays valid."""
    expired = openpgp_key("expired", days=300)
    new = shell_program("1.1.0")
    then = int(time.time()) - 200 * DAY
    scene.publisher.keys = scene.keys._replace(current=expired)
    scene.installation.trust = scene.publisher.write_trust(
        scene.folder / "trust-of-then", scene.server.url + "{region}/"
    )
    scene.publisher.add("1.1.0", new, signature=expired.sign(new, created=then))
    scene.updates_to("1.1.0")
    late = shell_program("1.2.0")
    scene.publisher.add("1.2.0", late, signature=expired.sign(late))
    assert "it was made after its key had expired" in scene.refused()


def test_lower_version_is_rejected(scene: Scene) -> None:
    scene.publisher.add("0.9.0")
    message = scene.refused("--version", "0.9.0", code=7)
    assert "version 0.9.0 is lower than the installed 1.0.0" in message
    assert scene.update().result["outcome"] == "current"


def test_withdrawn_version_is_rejected(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.publisher.publish(withdrawn={"1.1.0": "it eats disks"})
    assert scene.update().result["outcome"] == "current"
    message = scene.refused("--version", "1.1.0", code=7)
    assert "version 1.1.0 was withdrawn: it eats disks" in message


def swap(scene: Scene, at: InstallStep, evil: Path) -> None:
    """Put ``evil`` in the place of the new program at a certain step."""

    def listen(step: InstallStep) -> None:
        if step is at:
            os.replace(evil, scene.installation.bin / ".awstoe.update" / "new")

    attempt = scene.installation.update(listener=listen)
    assert attempt.code == 5, attempt.stderr
    assert (
        "was replaced after it was checked" in attempt.stderr or "not a regular" in attempt.stderr
    )
    assert scene.installation.on_disk() == scene.before


@pytest.mark.parametrize("step", [InstallStep.STARTED, InstallStep.RECORDED, InstallStep.BACKED_UP])
def test_target_replaced_between_check_and_use(scene: Scene, step: InstallStep) -> None:
    scene.publisher.add("1.1.0")
    evil = scene.folder / "evil"
    evil.write_bytes(b"#!/bin/sh\necho awstoe 1.1.0\n")
    evil.chmod(0o755)
    swap(scene, step, evil)


@pytest.mark.parametrize("step", [InstallStep.STARTED, InstallStep.RECORDED, InstallStep.BACKED_UP])
def test_symlink_swapped_between_check_and_use(scene: Scene, step: InstallStep) -> None:
    scene.publisher.add("1.1.0")
    evil = scene.folder / "evil"
    evil.symlink_to("/bin/true")
    swap(scene, step, evil)


def test_program_replaced_after_the_swap_is_put_back(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    evil = scene.folder / "evil"
    evil.write_bytes(b"#!/bin/sh\necho awstoe 1.1.0\n")
    evil.chmod(0o755)

    def listen(step: InstallStep) -> None:
        if step is InstallStep.SWAPPED:
            os.replace(evil, scene.installation.path)

    attempt = scene.installation.update(listener=listen)
    assert attempt.code == 9
    assert "1.0.0 is back" in attempt.stderr
    assert scene.installation.on_disk() == scene.before


@pytest.mark.parametrize("name", [".awstoe.update"])
def test_symbolic_link_planted_at_the_staging_path(scene: Scene, name: str) -> None:
    scene.publisher.add("1.1.0")
    elsewhere = scene.folder / "elsewhere"
    elsewhere.mkdir()
    (scene.installation.bin / name).symlink_to(elsewhere)
    scene.before = scene.installation.on_disk()
    assert "is not a folder: it may be an attempt to redirect" in scene.refused(code=3)
    assert list(elsewhere.iterdir()) == []


def test_staging_folder_that_others_can_use(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    planted = scene.installation.bin / ".awstoe.update"
    planted.mkdir(mode=0o777)
    planted.chmod(0o777)
    scene.before = scene.installation.on_disk()
    assert "can be used by others" in scene.refused(code=3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root")
def test_staging_folder_planted_by_another_user_is_rejected_for_root(scene: Scene) -> None:
    """In a folder such as /tmp, its owner could replace what root has checked."""
    scene.publisher.add("1.1.0")
    scene.installation.bin.chmod(0o1777)
    planted = scene.installation.bin / ".awstoe.update"
    planted.mkdir(mode=0o700)
    os.chown(planted, 65534, 65534)
    scene.before = scene.installation.on_disk()
    message = scene.refused(code=3)
    assert "it belongs to user ID 65534" in message
    assert scene.server.requests == []


def test_link_planted_as_a_part_of_the_download(scene: Scene) -> None:
    """In our own folder: only we could have created it, and still it is not followed."""
    new = scene.publisher.add("1.1.0")
    victim = scene.folder / "victim"
    victim.write_bytes(b"precious")
    planted = scene.installation.bin / ".awstoe.update"
    planted.mkdir(mode=0o700)
    (planted / f"{hashlib.sha256(new).hexdigest()}.part").symlink_to(victim)
    scene.updates_to("1.1.0")
    assert victim.read_bytes() == b"precious"


def test_part_of_an_attacker_is_discarded(scene: Scene) -> None:
    """A region sends a wrong start and closes the connection; the next one continues."""
    new = scene.publisher.add("1.1.0")
    wrong = bytes(20_000) + new[20_000:]

    def trick(handler: tricks.Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(new)))
        handler.end_headers()
        handler.wfile.write(wrong[:20_000])
        handler.close_connection = True

    scene.server.tricks[f"us-east-2/{PATH}"] = trick
    scene.updates_to("1.1.0")
    assert scene.installation.path.read_bytes() == new


def test_download_is_resumed(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    scene.server.tricks[f"us-east-2/{PATH}"] = tricks.break_off(15_000, times=2)
    scene.updates_to("1.1.0")
    ranges = [wanted for path, wanted in scene.server.requests if path.endswith("/awstoe")]
    assert ranges == ["", "bytes=15000-", "bytes=30000-"]
    assert scene.installation.path.read_bytes() == new


def test_download_is_resumed_by_the_next_update(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{PATH}"] = tricks.break_off(4_000, times=1000)
    attempt = scene.update("--url", scene.server.url + "us-east-2/")
    assert attempt.code == 4
    assert "the connection was lost" in attempt.stderr
    kept = set(scene.installation.on_disk()) - set(scene.before)
    assert len(kept) == 3  # the folder, its lock, and the part
    scene.server.tricks.clear()
    scene.server.requests.clear()
    scene.updates_to("1.1.0")
    ranges = [wanted for path, wanted in scene.server.requests if path.endswith("/awstoe")]
    assert ranges == ["bytes=12000-"]


def test_server_that_ignores_ranges(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    count = [0]

    def trick(handler: tricks.Handler) -> None:
        count[0] += 1
        if count[0] == 1:
            tricks.break_off(10_000)(handler)
        else:
            handler.give(new)

    scene.server.tricks[f"*/{PATH}"] = trick
    scene.updates_to("1.1.0")
    assert count == [2]


def test_new_program_that_does_not_start(scene: Scene) -> None:
    scene.publisher.add("1.1.0", b"#!/bin/sh\necho 'no libc for you' >&2\nexit 127\n")
    assert "exit code 127: no libc for you" in scene.refused(code=8)


def test_output_of_a_program_does_not_control_the_terminal(scene: Scene) -> None:
    scene.publisher.add("1.1.0", b"#!/bin/sh\nprintf 'no \\033[31mlibc' >&2\nexit 127\n")
    assert "exit code 127: no ?[31mlibc" in scene.refused(code=8)


def test_new_program_that_cannot_be_executed(scene: Scene) -> None:
    scene.publisher.add("1.1.0", b"\x7fELF" + bytes(2000))
    assert "does not start" in scene.refused(code=8)


def test_new_program_that_hangs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awstoe.limits.UPDATE_HEALTH_SECONDS", 0.5)
    scene.publisher.add("1.1.0", b"#!/bin/sh\nsleep 60\n")
    assert "does not start" in scene.refused(code=8)


def test_new_program_that_fails_in_its_final_place_is_rolled_back(scene: Scene) -> None:
    """It works in the workspace, but not in its final place."""
    body = 'case "$0" in */bin/awstoe) echo broken >&2; exit 3;; esac'
    scene.publisher.add("1.1.0", shell_program("1.1.0", body=body))
    message = scene.refused(code=9)
    assert "the new version failed after the swap, and 1.0.0 is back" in message
    assert "broken" in message


def test_nothing_new_runs_before_it_is_checked(scene: Scene) -> None:
    mark = scene.folder / "ran"
    new = shell_program("1.1.0", body=f"touch {mark}")
    scene.publisher.add("1.1.0", new, signature=scene.keys.stranger.sign(new))
    scene.refused()
    assert not mark.exists()
    process = scene.installation.process(die_at=InstallStep.VERIFIED)
    finished(process)
    assert not mark.exists()
