"""An update rejects a Windows program without the required Authenticode signature."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from awstoe.cli import update_bundle
from awstoe.reporting.console import Console
from awstoe.trust import release_trust
from awstoe.update.errors import Untrusted
from awstoe_signing.tuf import bundles
from fakes.certificates import CODE_SIGNING, FAR, Holder, make, signer, world
from fakes.scene import Scene
from fakes.signed_programs import sign
from fakes.windows_program import make_program

Verify = Callable[[bytes], None]


@pytest.fixture(scope="module")
def publisher() -> Holder:
    return make("Publisher", signer(CODE_SIGNING), by=world().root, end=FAR)


def bake(scene: Scene, publisher: Holder, state: str) -> None:
    """Make the publisher's certificate a built-in one, with a state."""
    facts = scene.installation.trust / release_trust.FACTS
    thumbprint = publisher.certificate.fingerprint(hashes.SHA1()).hex().upper()
    changed = {**json.loads(facts.read_text()), "authenticode": {thumbprint: state}}
    facts.write_text(json.dumps(changed))
    root = world().root.certificate.public_bytes(Encoding.PEM)
    (scene.installation.trust / release_trust.AUTHENTICODE_ROOTS).write_bytes(root)


@pytest.fixture
def verify(scene: Scene, tmp_path: Path) -> Verify:
    """Check a bundle with a Windows program, as an update does."""

    def check(program: bytes) -> None:
        scene.publisher.add("1.1.0", program, target=("windows", "amd64"))
        path = tmp_path / "bundle"
        bundles.write(str(path), str(scene.publisher.folder), "1.1.0")
        update_bundle.run(
            ["verify", str(path), "--trust", str(scene.installation.trust)], Console()
        )

    return check


@pytest.mark.parametrize("state", ["current", "next", "retired"])
def test_program_by_a_known_publisher_is_accepted(
    state: str, scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, state)
    verify(sign(make_program(), publisher))


def test_program_by_another_publisher_is_rejected(
    scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "current")
    with pytest.raises(Untrusted, match="does not lead to a trusted authority"):
        verify(sign(make_program(), world().stranger))


def test_program_without_authenticode_is_rejected(
    scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "current")
    with pytest.raises(Untrusted, match="the Authenticode signature is missing"):
        verify(make_program())


@pytest.mark.parametrize("state", ["current", "revoked"])
@pytest.mark.parametrize("program", [b"#!/bin/sh\n", b"ZM" + bytes(200), make_program()[1:], b""])
def test_file_for_windows_that_is_not_a_windows_program_is_rejected(
    program: bytes, state: str, scene: Scene, publisher: Holder, verify: Verify
) -> None:
    """Its platform decides, not its first bytes, which the attacker has chosen."""
    bake(scene, publisher, state)
    with pytest.raises(Untrusted, match="expected a Windows program, got another file"):
        verify(program)


@pytest.mark.parametrize("how", ["by the revoked publisher", "by another one", "unsigned"])
def test_with_all_publishers_revoked_no_windows_program_is_accepted(
    how: str, scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "revoked")
    program = make_program()
    if how != "unsigned":
        program = sign(program, publisher if "revoked" in how else world().stranger)
    with pytest.raises(Untrusted, match="the Authenticode signature cannot be trusted") as refused:
        verify(program)
    assert "install a newer release by hand" in (refused.value.hint or "")
    assert "awstoe verify-signature FILE --key awstoe.gpg" in (refused.value.hint or "")


def test_programs_for_linux_need_no_authenticode(scene: Scene, publisher: Holder) -> None:
    bake(scene, publisher, "revoked")
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")


def test_releases_without_authenticode_keys_need_no_authenticode(verify: Verify) -> None:
    verify(make_program())
