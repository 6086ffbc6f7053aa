"""An update takes no Windows program without the Authenticode signature that it asks for."""

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
    """Build the publisher's certificate in, in some state."""
    facts = scene.installation.trust / release_trust.FACTS
    thumbprint = publisher.certificate.fingerprint(hashes.SHA1()).hex().upper()
    told = {**json.loads(facts.read_text()), "authenticode": {thumbprint: state}}
    facts.write_text(json.dumps(told))
    root = world().root.certificate.public_bytes(Encoding.PEM)
    (scene.installation.trust / release_trust.AUTHENTICODE_ROOTS).write_bytes(root)


@pytest.fixture
def verify(scene: Scene, tmp_path: Path) -> Verify:
    """Checks a bundle with a program for Windows, as an update checks what is in it."""

    def check(program: bytes) -> None:
        scene.publisher.add("1.1.0", program, target=("windows", "amd64"))
        path = tmp_path / "bundle"
        bundles.write(str(path), str(scene.publisher.folder), "1.1.0")
        update_bundle.run(
            ["verify", str(path), "--trust", str(scene.installation.trust)], Console()
        )

    return check


@pytest.mark.parametrize("state", ["current", "next", "retired"])
def test_program_by_a_known_publisher_is_taken(
    state: str, scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, state)
    verify(sign(make_program(), publisher))


def test_program_by_somebody_else_is_refused(
    scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "current")
    with pytest.raises(Untrusted, match="nobody who is trusted vouches"):
        verify(sign(make_program(), world().stranger))


def test_program_without_authenticode_is_refused(
    scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "current")
    with pytest.raises(Untrusted, match="the Authenticode signature is missing"):
        verify(make_program())


@pytest.mark.parametrize("how", ["by the revoked publisher", "by somebody else", "unsigned"])
def test_with_all_publishers_revoked_no_windows_program_is_taken(
    how: str, scene: Scene, publisher: Holder, verify: Verify
) -> None:
    bake(scene, publisher, "revoked")
    program = make_program()
    if how != "unsigned":
        program = sign(program, publisher if "revoked" in how else world().stranger)
    with pytest.raises(Untrusted, match="no Authenticode signature counts any more") as refused:
        verify(program)
    assert "install a newer release by hand" in (refused.value.hint or "")
    assert "awstoe verify-signature FILE --key awstoe.gpg" in (refused.value.hint or "")


def test_programs_for_linux_are_none_of_its_business(scene: Scene, publisher: Holder) -> None:
    bake(scene, publisher, "revoked")
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")


def test_releases_without_authenticode_keys_ask_for_no_authenticode(verify: Verify) -> None:
    verify(make_program())
