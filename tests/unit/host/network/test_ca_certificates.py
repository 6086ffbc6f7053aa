"""The certificate authorities of a machine that has none."""

import ssl
import sys
from pathlib import Path

import certifi
import pytest

from awstoe.host.network import ca_certificates


def test_built_in_list_is_unpacked_again_if_a_step_removed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities_inside = Path(certifi.where()).read_bytes()
    place = tmp_path / "cacert.pem"

    class Finder:
        """Unpacks, as awstoe_build.inside.late_loading does."""

        @staticmethod
        def find_spec(*_: object) -> None:
            return None

        @staticmethod
        def unpack_for(package: str) -> None:
            if package == "certifi":
                place.write_bytes(authorities_inside)

    for variable in ca_certificates.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("awstoe.host.network.ca_certificates.load", lambda _: None)
    monkeypatch.setattr(certifi, "where", lambda: str(place))
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    for _ in range(2):
        context, source = ca_certificates.trust_store()
        assert source == "awstoe's built-in list, as this machine has none"
        assert isinstance(context, ssl.SSLContext)
        assert context.get_ca_certs()
        place.unlink()
