"""The rehearsal's S3 server from the side of who uses it: start, buckets, faults, log, end."""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from awstoe_release import programs
from awstoe_release.configuration import Configuration
from awstoe_release.failure import ReleaseFailure
from awstoe_release.rehearsal.server import CONTROL


class Request(NamedTuple):
    """One request that the server answered."""

    method: str
    bucket: str
    key: str
    status: int
    """0 when the connection was reset."""
    query: str


class S3Server:
    """A running server; ends with the ``with`` block, and with this process in any case."""

    def __init__(self, *, certificate: str = "", key: str = "") -> None:
        """Start it.

        Args:
            certificate: A PEM file, when it is to serve with TLS as well.
            key: The PEM file of its key.

        Raises:
            ReleaseFailure: It does not start.
        """
        command = [sys.executable, "-m", "awstoe_release.rehearsal.server"]
        if certificate:
            command += ["--certificate", certificate, "--key", key]
        path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
        self._server = programs.start_server(
            command, environment={**os.environ, "PYTHONPATH": path}
        )
        said = json.loads(self._server.line)
        if "error" in said:
            self._server.close()
            raise ReleaseFailure(said["error"], hint=said["hint"])
        self.endpoint = f"http://127.0.0.1:{said['http']}"
        self.tls_port: int = said.get("https", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._server.close()

    def reset(
        self, configuration: Configuration, *, owners: Mapping[str, str] | None = None
    ) -> None:
        """Begin anew with one empty bucket for each region.

        Args:
            configuration: Names the regions and buckets.
            owners: Accounts of the regions whose buckets are not ours.
        """
        given = owners or {}
        self._control(
            "reset",
            [
                {
                    "name": region.bucket,
                    "region": region.name,
                    **({"owner": given[region.name]} if region.name in given else {}),
                }
                for region in configuration.regions
            ],
        )

    def fail(self, *faults: Mapping[str, Any]) -> None:
        """Let things go wrong (``faults.Fault``); without an argument, no longer."""
        self._control("faults", faults)

    def requests(self) -> list[Request]:
        """What it was asked since it was last told to forget."""
        return [Request(*row) for row in self._control("log", None)]

    def forget(self) -> None:
        """Begin to count anew."""
        self._control("forget", None)

    def _control(self, what: str, data: Sequence[object] | None) -> Any:  # noqa: ANN401
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.endpoint}{CONTROL}{what}", data=json.dumps(data).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
